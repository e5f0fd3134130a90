import Kernels
import Testing
import TestSupport

@testable import Datasets

/// What a mutated file may do is to open as a data set that holds together, or to be refused: a
/// trap would end the test run. Case i is a function of i.
@Suite("files with random faults")
struct DatasetFuzzTests {
  static let cases = 2000

  @Test("plain and gzip files open consistently or are refused", arguments: [false, true])
  func mutations(isGzip: Bool) throws {
    let folder = try TemporaryDirectory()
    let labels = try folder.file("labels", IDXFixture.bytes(0x08, extents: [4], [0, 1, 2, 3]))
    let plain = IDXFixture.bytes(0x0B, extents: [4, 3, 2], (0..<24).map { Double($0 * 11 - 90) })
    let original = isGzip ? try IDXFixture.gzip(plain) : plain
    let stream = RandomStream(seed: 7, purpose: .shuffle, instance: isGzip ? 1 : 0)
    var opened = 0
    for number in 0..<DatasetFuzzTests.cases {
      let bytes = DatasetFuzzTests.mutated(original, stream, number)
      let path = try folder.file("features", bytes)
      do {
        let asFeatures = try IDXDataset(
          featuresPath: path, labelsPath: labels, normalization: .auto)
        #expect(asFeatures.count == 4)
        #expect(asFeatures.featureCount > 0 && asFeatures.featureCount <= 8 * plain.count)
        for sample in 0..<asFeatures.count { _ = asFeatures.features(of: sample) }
        opened += 1
      } catch let error as DatasetError {
        #expect(error.kind == .malformed, "case \(number): \(error)")
      }
      // The same file as labels of itself: every label is looked at.
      #expect(throws: DatasetError.self, "case \(number)") {
        try IDXDataset(featuresPath: path, labelsPath: path, normalization: .none)
      }
    }
    // Some mutations are harmless: else the test would only see the first check.
    #expect(opened > (isGzip ? 20 : 200) && opened < DatasetFuzzTests.cases)
  }

  /// One to three edits: a byte replaced, a bit flipped, a byte removed, one put in, the end cut
  /// off.
  private static func mutated(
    _ original: [UInt8], _ stream: RandomStream, _ number: Int
  ) -> [UInt8] {
    var bytes = original
    let edits = 1 + number % 3
    for edit in 0..<edits where !bytes.isEmpty {
      let words = stream.block(UInt64(number * 3 + edit))
      // Half of the edits go into the first bytes, where the header is.
      let reach = words.x % 2 == 0 ? min(bytes.count, 20) : bytes.count
      let position = Int(words.y) % reach
      switch words.z % 8 {
      case 0, 1, 2: bytes[position] = UInt8(truncatingIfNeeded: words.w)
      case 3, 4: bytes[position] ^= 1 << UInt8(words.w % 8)
      case 5: bytes.remove(at: position)
      case 6: bytes.insert(UInt8(truncatingIfNeeded: words.w), at: position)
      default: bytes.removeLast(Int(words.w) % min(bytes.count, 5))
      }
    }
    return bytes
  }
}
