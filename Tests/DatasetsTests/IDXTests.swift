import Testing
import TestSupport

@testable import Datasets

@Suite("IDX files that are as they should be")
struct IDXTests {
  let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory() }

  /// Six values of every type, its extremes and signs among them; exact as floats.
  static func values(_ type: UInt8) -> [Double] {
    switch type {
    case 0x08: [0, 1, 2, 127, 128, 255]
    case 0x09: [0, 1, -1, 127, -128, 5]
    case 0x0B: [0, 1, -1, 32767, -32768, 258]
    case 0x0C: [0, 1, -1, 16_777_216, -2_147_483_648, 66051]
    case 0x0D: [0, 1.5, -0.25, 3e38, -1e-40, 7]
    default: [0, 1.5, -0.25, 1e30, -1e-30, 7]
    }
  }

  @Test(
    "every element type is read, plain and gzip, whatever the file is called",
    arguments: IDXFixture.elementTypes.map(\.code), [false, true])
  func elementTypes(type: UInt8, isGzip: Bool) throws {
    let values = IDXTests.values(type)
    var bytes = IDXFixture.bytes(type, extents: [2, 3], values)
    if isGzip { bytes = try IDXFixture.gzip(bytes) }
    let dataset = try IDXDataset(
      featuresPath: try folder.file("features", bytes),
      labelsPath: try folder.file("labels", IDXFixture.bytes(0x08, extents: [2], [1, 0])),
      normalization: .none)
    #expect(dataset.count == 2)
    #expect(dataset.featureExtents == [3])
    #expect(dataset.targets == .labels(classes: 2))
    #expect(dataset.features(of: 0) == values[..<3].map { Float($0) })
    #expect(dataset.features(of: 1) == values[3...].map { Float($0) })
    #expect(dataset.label(of: 0) == 1)
    #expect(dataset.label(of: 1) == 0)
  }

  @Test("normalization divides bytes by 255, and leaves every other type alone")
  func normalization() throws {
    let labels = try folder.file("labels", IDXFixture.bytes(0x08, extents: [2], [0, 0]))
    for (type, _) in IDXFixture.elementTypes {
      let values = IDXTests.values(type)
      let features = try folder.file("features", IDXFixture.bytes(type, extents: [2, 3], values))
      let dataset = try IDXDataset(
        featuresPath: features, labelsPath: labels, normalization: .auto)
      let found = dataset.features(of: 0) + dataset.features(of: 1)
      for (found, value) in zip(found, values) {
        let expected = type == 0x08 ? Float(value) / 255 : Float(value)
        // One rounding for 1/255 and one for the product.
        #expect(abs(found - expected) <= 2 * expected.ulp, "type \(type), value \(value)")
      }
    }
  }

  @Test("the extents behind the first are a sample's; one dimension makes samples of one number")
  func extents() throws {
    let labels = try folder.file("labels", IDXFixture.bytes(0x09, extents: [2], [3, 0]))
    let pictures = try IDXDataset(
      featuresPath: try folder.file(
        "pictures", IDXFixture.bytes(0x08, extents: [2, 3, 2], (0..<12).map(Double.init))),
      labelsPath: labels, normalization: .none)
    #expect(pictures.featureExtents == [3, 2])
    #expect(pictures.featureCount == 6)
    #expect(pictures.targets == .labels(classes: 4))
    #expect(pictures.features(of: 1) == [6, 7, 8, 9, 10, 11])
    let numbers = try IDXDataset(
      featuresPath: try folder.file("numbers", IDXFixture.bytes(0x0D, extents: [2], [0.5, -4])),
      labelsPath: labels, normalization: .auto)
    #expect(numbers.featureExtents == [1])
    #expect(numbers.features(of: 1) == [-4])
  }

  @Test("targets may be numbers, one or more per sample, and are never scaled")
  func valueTargets() throws {
    let features = try folder.file("f", IDXFixture.bytes(0x08, extents: [3, 1], [1, 2, 3]))
    let wide = try IDXDataset(
      featuresPath: features,
      targetsPath: try folder.file(
        "wide", IDXFixture.bytes(0x0E, extents: [3, 2], [1, -2, 3, 4.5, 5, 6])),
      normalization: .auto)
    #expect(wide.targets == .values(width: 2))
    #expect(wide.targetValues(of: 1) == [3, 4.5])
    let bytes = try IDXDataset(
      featuresPath: features,
      targetsPath: try folder.file("bytes", IDXFixture.bytes(0x08, extents: [3], [7, 8, 255])),
      normalization: .auto)
    #expect(bytes.targets == .values(width: 1))
    #expect(bytes.targetValues(of: 2) == [255])
  }

  @Test("real numbers are labels if they are whole")
  func realLabels() throws {
    let dataset = try IDXDataset(
      featuresPath: try folder.file("f", IDXFixture.bytes(0x08, extents: [2], [1, 2])),
      labelsPath: try folder.file("l", IDXFixture.bytes(0x0D, extents: [2], [9, 2])),
      normalization: .auto)
    #expect(dataset.targets == .labels(classes: 10))
    #expect(dataset.label(of: 0) == 9)
  }

  @Test("a file of several gzip members is their contents in a row, wherever it is cut")
  func members() throws {
    let plain = IDXFixture.bytes(0x0B, extents: [3, 50], (0..<150).map { Double($0 * 3 - 200) })
    let labels = try folder.file("l", IDXFixture.bytes(0x08, extents: [3], [0, 1, 2]))
    for cuts in [[1], [4], [16], [16, 17, 200], [plain.count]] {
      let ends = cuts + [plain.count]
      let starts = [0] + cuts
      let members = try zip(starts, ends).flatMap { try IDXFixture.gzip(Array(plain[$0..<$1])) }
      let dataset = try IDXDataset(
        featuresPath: try folder.file("f", members), labelsPath: labels, normalization: .none)
      #expect(dataset.features(of: 2) == (100..<150).map { Float($0 * 3 - 200) }, "cuts \(cuts)")
    }
  }

  @Test("gzip data of more than the first buffer, and of a thousandth of its size, is inflated")
  func largeGzip() throws {
    let count = 2_000_000
    var plain = IDXFixture.header(0x08, extents: [2, count / 2])
    plain += [UInt8](repeating: 0, count: count)
    plain[plain.count - 1] = 42
    let packed = try IDXFixture.gzip(plain)
    #expect(packed.count < count / 400)
    let labels = try folder.file("l", IDXFixture.bytes(0x08, extents: [2], [0, 1]))
    let dataset = try IDXDataset(
      featuresPath: try folder.file("f", packed), labelsPath: labels, normalization: .none)
    #expect(dataset.features(of: 1).suffix(2) == [0, 42])
  }
}
