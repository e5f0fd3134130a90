import Foundation
import Kernels
import TestSupport

@testable import Datasets

/// IDX files made of given numbers, by code that shares nothing with the reader.
enum IDXFixture {
  /// Type codes of the format, with the widths of their elements.
  static let elementTypes: [(code: UInt8, size: Int)] = [
    (0x08, 1), (0x09, 1), (0x0B, 2), (0x0C, 4), (0x0D, 4), (0x0E, 8),
  ]

  static func header(_ type: UInt8, extents: [Int]) -> [UInt8] {
    [0, 0, type, UInt8(extents.count)] + extents.flatMap { bigEndian(UInt64($0), 4) }
  }

  static func bytes(_ type: UInt8, extents: [Int], _ values: [Double]) -> [UInt8] {
    header(type, extents: extents)
      + values.flatMap { value -> [UInt8] in
        switch type {
        case 0x08: [UInt8(value)]
        case 0x09: [UInt8(bitPattern: Int8(value))]
        case 0x0B: bigEndian(UInt64(UInt16(bitPattern: Int16(value))), 2)
        case 0x0C: bigEndian(UInt64(UInt32(bitPattern: Int32(value))), 4)
        case 0x0D: bigEndian(UInt64(Float(value).bitPattern), 4)
        default: bigEndian(value.bitPattern, 8)
        }
      }
  }

  /// What `gzip` makes of `bytes`.
  static func gzip(_ bytes: [UInt8]) throws -> [UInt8] {
    let folder = try TemporaryDirectory()
    let path = try folder.file("data", bytes)
    let result = try Command(["gzip", "-n", "-9", path]).run()
    guard result.status == 0 else { throw GzipFailed(reason: result.errors) }
    return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path + ".gz")))
  }

  struct GzipFailed: Error { var reason: String }

  private static func bigEndian(_ word: UInt64, _ count: Int) -> [UInt8] {
    (0..<count).reversed().map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) }
  }
}

extension Dataset {
  /// The features of a sample, copied with the kernels that this machine's users get.
  func features(of sample: Int) -> [Float] {
    let kernels = KernelSet(InstructionSet.supported.last!)
    var result = [Float](repeating: .nan, count: featureCount)
    result.withUnsafeMutableBufferPointer {
      copyFeatures(of: sample, into: $0.baseAddress!, kernels: kernels)
    }
    return result
  }

  /// The target values of a sample.
  func targetValues(of sample: Int) -> [Float] {
    guard case .values(let width) = targets else { return [] }
    let kernels = KernelSet(InstructionSet.supported.last!)
    var result = [Float](repeating: .nan, count: width)
    result.withUnsafeMutableBufferPointer {
      copyTargets(of: sample, into: $0.baseAddress!, kernels: kernels)
    }
    return result
  }
}
