import Testing
import TestSupport

@testable import Datasets

@Suite("gzip data that is damaged")
struct MalformedGzipTests {
  let folder: TemporaryDirectory
  let labels: String
  let packed: [UInt8]

  init() throws {
    folder = try TemporaryDirectory()
    labels = try folder.file("labels", IDXFixture.bytes(0x08, extents: [4], [0, 1, 2, 3]))
    packed = try IDXFixture.gzip(
      IDXFixture.bytes(0x0C, extents: [4, 20], (0..<80).map { Double($0 * $0) }))
  }

  private func open(_ bytes: [UInt8]) throws -> IDXDataset {
    try IDXDataset(
      featuresPath: try folder.file("features", bytes), labelsPath: labels, normalization: .none)
  }

  @Test("the whole file is good")
  func good() throws {
    #expect(try open(packed).features(of: 3).last == 79 * 79)
  }

  @Test("a file that ends early is refused at every length")
  func truncated() {
    for length in 0..<packed.count {
      let error = #expect(throws: DatasetError.self, "\(length) bytes") {
        try open(Array(packed[..<length]))
      }
      #expect(error?.kind == .malformed)
      if length >= 2 { #expect(error?.reason.contains("ends early") == true) }
    }
  }

  @Test("a second member that ends early is refused at every length")
  func truncatedMember() {
    for length in packed.count + 1..<2 * packed.count {
      let error = #expect(throws: DatasetError.self, "\(length) bytes") {
        try open(Array((packed + packed)[..<length]))
      }
      #expect(error?.kind == .malformed)
    }
  }

  @Test("a flipped bit is found, or makes no difference to the data")
  func flipped() throws {
    let good = try open(packed).features(of: 3)
    var harmless = 0
    for position in packed.indices {
      for bit in 0..<8 {
        var bytes = packed
        bytes[position] ^= 1 << bit
        do {
          #expect(try open(bytes).features(of: 3) == good, "byte \(position), bit \(bit)")
          harmless += 1
        } catch let error as DatasetError {
          #expect(error.kind == .malformed, "byte \(position), bit \(bit)")
        }
      }
    }
    // The time, the level, the system, "probably text", and what fills up the last byte of data.
    #expect(harmless <= 6 * 8 + 1 + 7)
  }

  @Test("what follows the gzip data has to be gzip data")
  func trailing() {
    let error = #expect(throws: DatasetError.self) { try open(packed + [1, 2, 3, 4]) }
    #expect(error?.reason.contains("damaged gzip data") == true)
  }
}
