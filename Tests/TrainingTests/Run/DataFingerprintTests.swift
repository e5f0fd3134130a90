import Collective
import Datasets
import Foundation
import TestSupport
import Testing

@testable import Training

@Suite("data sets are told apart by content")
struct DataFingerprintTests {
  private func inline(_ features: [[Float]], _ labels: [Int32] = [0, 1]) throws -> String {
    DataFingerprint(try InlineDataset(name: "x", features: features, labels: labels)).hash
  }

  @Test("equal content is equal, and every number counts")
  func everyNumber() throws {
    let hash = try inline([[1, 2], [3, 4]])
    #expect(hash.count == 64)
    #expect(try inline([[1, 2], [3, 4]]) == hash)
    #expect(try inline([[1, 2], [3, 5]]) != hash)
    #expect(try inline([[1, 2], [4, 3]]) != hash)
    #expect(try inline([[1, 2], [3, 4]], [1, 0]) != hash)
    #expect(try inline([[1], [2]]) != inline([[1, 2], [3, 4]]))
  }

  @Test("synthetic data are what they are made from", arguments: [0, 1, 2, 3])
  func synthetic(change: Int) {
    func hash(_ change: Int?) -> String {
      DataFingerprint(
        SyntheticDataset(
          count: change == 0 ? 9 : 8, featureExtents: [3], classes: change == 1 ? 4 : 3,
          seed: change == 2 ? 8 : 7, part: change == 3 ? 1 : 0)
      ).hash
    }
    #expect(hash(change) != hash(nil))
    #expect(hash(nil) == hash(nil))
  }

  @Test("of large content, blocks from the first byte to the last are looked at")
  func blocks() throws {
    let folder = try TemporaryDirectory()
    let count = 1000
    func hash(changing byte: Int?) throws -> String {
      var images: [UInt8] = [0, 0, 8, 2, 0, 0, 3, 0xE8, 0, 0, 0, 1]
      images += (0..<count).map { UInt8(truncatingIfNeeded: $0) }
      if let byte { images[byte] ^= 0x80 }
      let labels: [UInt8] = [0, 0, 8, 1, 0, 0, 3, 0xE8] + [UInt8](repeating: 1, count: count)
      let data = try IDXDataset(
        featuresPath: try folder.file("images", images), labelsPath: folder.file("labels", labels),
        normalization: .auto)
      return DataFingerprint(data, byteLimit: 100, blockSize: 10).hash
    }
    let original = try hash(changing: nil)
    #expect(try hash(changing: nil) == original)
    #expect(try hash(changing: count + 11) != original)
    // Ten blocks of ten bytes in 1012: one begins at byte 111.
    #expect(try hash(changing: 111) != original)
    #expect(try hash(changing: 100) == original)
  }
}

@Suite("ranks run the same program")
struct SameProgramTests {
  @Test("a rank with another binary is named, and nothing begins")
  func otherBinary() throws {
    let folder = try TemporaryDirectory()
    let paths = [try folder.file("a", "one"), try folder.file("b", "two")]
    func check(_ odd: Int?) throws {
      _ = try LoopbackTransport.run(ranks: 3) { transport in
        let world = try World(transport, host: "h\(transport.rank)", carrier: "loopback")
        try Program(
          version: "1", commit: "x", environment: [:], isQuiet: true,
          path: paths[transport.rank == odd ? 1 : 0]
        ).requireSame(in: world)
      }
    }
    try check(nil)
    let failure = #expect(throws: JointFailure.self) { try check(2) }
    #expect(failure?.exitCode == ExitStatus.usage)
    #expect(failure?.description.hasPrefix("rank 2 on h2: the program is not the same") == true)
  }
}
