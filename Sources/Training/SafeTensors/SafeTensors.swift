import Foundation
import NN

/// Files of tensors that other programs can read: a little-endian length, a JSON header of that
/// length, the tensors' bytes. Those that Lockstep writes have their digest in the header.
/// (https://github.com/huggingface/safetensors, README, "Format")
enum SafeTensors {
  /// All tensors of some slabs, in the slabs' order, without padding.
  /// - Parameter metadata: texts for the header's `__metadata__`.
  static func encode(_ slabs: [Slab], metadata: [String: String]) throws -> Data {
    let groups = slabs.map { TensorGroup($0) }
    let image = TensorImage(for: groups)
    image.capture(groups)
    let bytes = UnsafeRawBufferPointer(image.bytes)
    var data = Data(
      try SafeTensorsHeader(tensors: image.tensors, metadata: metadata).encoded(sealing: bytes))
    data.append(contentsOf: bytes)
    return data
  }

  /// What a file holds.
  struct Content {
    var metadata: [String: String]
    var image: TensorImage
    /// Whether the file has a digest, which then is that of its content.
    var isSealed: Bool
  }

  /// Reads a file. Nothing of it is believed unchecked, and nothing is allocated that the file's own
  /// size does not justify.
  static func read(_ path: String) throws(TensorFileFault) -> Content {
    let file = try InputFile(path)
    func damaged(_ reason: String) -> TensorFileFault {
      TensorFileFault(
        .damaged, path, "damaged, or not a safetensors file: \(reason): use another, or remove it")
    }
    guard file.count >= SafeTensorsHeader.lengthCount else {
      throw damaged("it has \(file.count) bytes")
    }
    var opening = [UInt8](repeating: 0, count: SafeTensorsHeader.lengthCount)
    try file.read(into: &opening)
    let length = opening.withUnsafeBytes { UInt64(littleEndian: $0.load(as: UInt64.self)) }
    let rest = file.count - SafeTensorsHeader.lengthCount
    guard length <= SafeTensorsHeader.largestCount, length <= rest else {
      throw damaged("its header cannot have \(length) bytes")
    }
    var bytes = [UInt8](repeating: 0, count: Int(length))
    try file.read(into: &bytes)
    let header: SafeTensorsHeader
    do {
      header = try SafeTensorsHeader(parsing: bytes, dataCount: rest - Int(length))
    } catch {
      throw damaged(error.reason)
    }
    guard header.dataCount <= InputFile.memoryCount else {
      throw TensorFileFault(
        .unreadable, path, "this machine has not the memory for \(header.dataCount) bytes")
    }
    let image = TensorImage(header.tensors)
    let isSealed = bytes.starts(with: SafeTensorsHeader.opening)
    guard isSealed else {
      try file.read(into: image.bytes) { _ in }
      return Content(metadata: header.metadata, image: image, isSealed: false)
    }
    var sealed = opening + bytes
    guard sealed.count >= SafeTensorsHeader.digits.upperBound else {
      throw damaged("its header ends early")
    }
    let expected = Array(sealed[SafeTensorsHeader.digits])
    for digit in SafeTensorsHeader.digits { sealed[digit] = UInt8(ascii: "0") }
    let hash = SHA256()
    sealed.withUnsafeBytes { hash.add($0) }
    try file.read(into: image.bytes) { hash.add($0) }
    guard Array(SHA256.hexadecimal(hash.finish()).utf8) == expected else {
      throw damaged("its SHA-256 is not that of its content")
    }
    return Content(metadata: header.metadata, image: image, isSealed: true)
  }
}
