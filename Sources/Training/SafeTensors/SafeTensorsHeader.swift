import Foundation
import NN

/// The header of a safetensors file: texts, and where each tensor lies in the data behind it.
/// (https://github.com/huggingface/safetensors, README, "Format")
struct SafeTensorsHeader: Equatable {
  struct Tensor: Equatable, Sendable {
    var name: String
    /// An empty shape is one element.
    var shape: Shape
    /// From the data's start.
    var bytes: Range<Int>
  }

  /// The texts of `__metadata__`, the digest excepted.
  var metadata: [String: String]
  /// In the order of their data, which has neither gaps nor overlaps.
  let tensors: [Tensor]

  /// Tensors one after the other.
  init(_ tensors: [(name: String, shape: Shape)], metadata: [String: String]) {
    self.metadata = metadata
    var end = 0
    self.tensors = tensors.map { name, shape in
      defer { end += shape.count * MemoryLayout<Float>.size }
      return Tensor(
        name: name, shape: shape, bytes: end..<end + shape.count * MemoryLayout<Float>.size)
    }
  }

  /// - Precondition: the tensors are in the order of their data.
  init(tensors: [Tensor], metadata: [String: String]) {
    self.metadata = metadata
    self.tensors = tensors
  }

  /// Bytes of all tensors.
  var dataCount: Int { tensors.last?.bytes.upperBound ?? 0 }

  /// A file begins with this, behind the header's length, and goes on with the digits of its digest:
  /// they lie at the same place in every file.
  static let opening = Array(#"{"__metadata__":{"sha256":""#.utf8)
  /// Where the digits are in the file.
  static let digits =
    lengthCount + opening.count..<lengthCount + opening.count + 2 * SHA256.byteCount
  /// Bytes of the header's length, with which a file begins.
  static let lengthCount = 8

  /// Everything that stands before the data: length and header, with the digest of the whole file in
  /// `__metadata__.sha256`. It is the digest of the file that has zeros in the place of its digits.
  /// - Parameter data: the tensors' bytes.
  func encoded(sealing data: UnsafeRawBufferPointer) throws -> [UInt8] {
    precondition(data.count == dataCount)
    precondition(metadata["sha256"] == nil, "the digest's name is taken")
    var bytes = try unsealed()
    let hash = SHA256()
    bytes.withUnsafeBytes { hash.add($0) }
    hash.add(data)
    bytes.replaceSubrange(
      SafeTensorsHeader.digits, with: SHA256.hexadecimal(hash.finish()).utf8)
    return bytes
  }

  /// Length and header, with zeros for the digest.
  private func unsealed() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes]
    func quoted(_ text: String) throws -> String {
      String(decoding: try encoder.encode(text), as: UTF8.self)
    }
    var texts = String(decoding: SafeTensorsHeader.opening, as: UTF8.self)
    texts += String(repeating: "0", count: 2 * SHA256.byteCount) + "\""
    for (key, text) in metadata.sorted(by: { $0.key < $1.key }) {
      texts += try "," + quoted(key) + ":" + quoted(text)
    }
    texts += "}"
    for tensor in tensors {
      let shape = tensor.shape.dimensions.map(String.init).joined(separator: ",")
      texts += try "," + quoted(tensor.name) + #":{"dtype":"F32","shape":["# + shape
      texts += #"],"data_offsets":[\#(tensor.bytes.lowerBound),\#(tensor.bytes.upperBound)]}"#
    }
    texts += "}"
    // The data begins at a multiple of eight.
    texts += String(repeating: " ", count: (8 - texts.utf8.count % 8) % 8)
    return withUnsafeBytes(of: UInt64(texts.utf8.count).littleEndian) { Array($0) }
      + Array(texts.utf8)
  }
}
