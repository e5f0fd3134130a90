import Kernels

/// An array in the IDX format of the MNIST family: a header in big-endian order, then the elements.
///
///     0  0  type  n  |  extent 1  |  ...  |  extent n  |  elements, row-major, big-endian
///
/// (Y. LeCun, "The MNIST database of handwritten digits".) Gzip files are inflated when opened.
final class IDX: Sendable {
  enum Element: UInt8 {
    case uint8 = 0x08
    case int8 = 0x09
    case int16 = 0x0B
    case int32 = 0x0C
    case float = 0x0D
    case double = 0x0E

    var size: Int {
      switch self {
      case .uint8, .int8: 1
      case .int16: 2
      case .int32, .float: 4
      case .double: 8
      }
    }
  }

  let path: String
  let element: Element
  /// The first extent is the number of samples.
  let extents: [Int]
  private let file: FileBytes
  private let headerSize: Int

  /// - Throws: `DatasetError` if the header is wrong or the file's size is not what it announces.
  init(path: String) throws {
    self.path = path
    file = try FileBytes(path: path)
    let bytes = file.bytes
    guard bytes.count >= 4 else {
      throw DatasetError(.malformed, path, "\(bytes.count) bytes are too few for an IDX header")
    }
    guard bytes[0] == 0, bytes[1] == 0, let element = Element(rawValue: bytes[2]), bytes[3] > 0
    else {
      let magic = IDX.hex(bytes.loadUnaligned(as: UInt32.self).bigEndian)
      throw DatasetError(
        .malformed, path, "not an IDX file: expected 0x0000 and an element type, found \(magic)")
    }
    let dimensions = Int(bytes[3])
    headerSize = 4 + 4 * dimensions
    guard bytes.count >= headerSize else {
      throw DatasetError(.malformed, path, "the file ends within the IDX header")
    }
    var extents: [Int] = []
    var size = element.size
    for d in 0..<dimensions {
      let extent = Int(bytes.loadUnaligned(fromByteOffset: 4 + 4 * d, as: UInt32.self).bigEndian)
      let (product, overflow) = size.multipliedReportingOverflow(by: extent)
      guard !overflow else {
        throw DatasetError(.malformed, path, "the IDX header announces more than can exist")
      }
      extents.append(extent)
      size = product
    }
    let (wholeSize, overflow) = size.addingReportingOverflow(headerSize)
    guard !overflow else {
      throw DatasetError(.malformed, path, "the IDX header announces more than can exist")
    }
    guard bytes.count == wholeSize else {
      let shape = extents.map(String.init).joined(separator: "x")
      throw DatasetError(
        .malformed, path,
        "\(shape) elements of \(element.size) byte\(element.size == 1 ? "" : "s") need "
          + "\(wholeSize) bytes, found \(bytes.count): the file is "
          + (bytes.count < wholeSize ? "truncated" : "too long") + ", fetch it again")
    }
    guard extents[0] > 0, size > 0 else {
      throw DatasetError(.malformed, path, "there are no samples in it")
    }
    self.element = element
    self.extents = extents
    width = extents.dropFirst().reduce(1, *)
  }

  /// Samples.
  var count: Int { extents[0] }
  /// Elements of a sample.
  let width: Int

  /// The whole file, inflated.
  var content: UnsafeRawBufferPointer { file.bytes }

  /// The largest value of the type, which is taken as 1 when values are scaled; nil for real types.
  var maximum: Float? { element == .uint8 ? 255 : nil }

  /// A sample's elements, as they are in the file.
  func bytes(of sample: Int) -> UnsafeRawBufferPointer {
    let size = width * element.size
    return UnsafeRawBufferPointer(
      rebasing: file.bytes[(headerSize + sample * size)...].prefix(size))
  }

  /// Copies a sample's elements, multiplied by `factor`.
  func copy(
    sample: Int, factor: Float, into target: UnsafeMutablePointer<Float>, kernels: KernelSet
  ) {
    if element == .uint8 {
      kernels.convert(
        bytes(of: sample).assumingMemoryBound(to: UInt8.self), factor: factor, into: target)
    } else {
      let start = headerSize + sample * width * element.size
      for i in 0..<width { target[i] = Float(value(at: start + i * element.size)) * factor }
    }
  }

  /// The integer of a sample that has one element; nil if it is not an integer of 32 bits.
  func integer(sample: Int) -> Int32? {
    Int32(exactly: value(at: headerSize + sample * element.size))
  }

  private func value(at offset: Int) -> Double {
    let bytes = file.bytes
    switch element {
    case .uint8: return Double(bytes[offset])
    case .int8: return Double(Int8(bitPattern: bytes[offset]))
    case .int16:
      return Double(bytes.loadUnaligned(fromByteOffset: offset, as: Int16.self).bigEndian)
    case .int32:
      return Double(bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self).bigEndian)
    case .float:
      let word = bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
      return Double(Float(bitPattern: word.bigEndian))
    case .double:
      let word = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      return Double(bitPattern: word.bigEndian)
    }
  }

  private static func hex(_ word: UInt32) -> String {
    let digits = String(word, radix: 16)
    return "0x" + String(repeating: "0", count: 8 - digits.count) + digits
  }
}
