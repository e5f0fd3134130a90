import Foundation
import Testing
import TestSupport

@testable import Datasets

@Suite("IDX files that are not as they should be")
struct MalformedIDXTests {
  let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory() }

  static let features = IDXFixture.bytes(0x0B, extents: [3, 2], [1, -2, 3, -4, 5, 6])
  static let labels = IDXFixture.bytes(0x08, extents: [3], [0, 1, 2])

  /// Opens a data set of a file of features with these bytes, and of good labels.
  private func open(features bytes: [UInt8]) throws {
    _ = try IDXDataset(
      featuresPath: try folder.file("features", bytes),
      labelsPath: try folder.file("labels", MalformedIDXTests.labels), normalization: .auto)
  }

  private func open(labels bytes: [UInt8]) throws {
    _ = try IDXDataset(
      featuresPath: try folder.file("features", MalformedIDXTests.features),
      labelsPath: try folder.file("labels", bytes), normalization: .auto)
  }

  /// The error of `body`, which must be of malformed data.
  private func malformed(
    _ note: String = "", at location: SourceLocation = #_sourceLocation, _ body: () throws -> Void
  ) -> String {
    let error = #expect(throws: DatasetError.self, "\(note)", sourceLocation: location) {
      try body()
    }
    guard let error else { return "" }
    #expect(error.kind == .malformed, "\(note): \(error)", sourceLocation: location)
    return error.description
  }

  @Test("the files that the others are made of are good")
  func good() throws {
    try open(features: MalformedIDXTests.features)
    try open(features: try IDXFixture.gzip(MalformedIDXTests.features))
  }

  @Test("a missing file is named, be its folder there or not")
  func missing() throws {
    let labels = try folder.file("labels", MalformedIDXTests.labels)
    let here = FileManager.default.currentDirectoryPath
    for (path, place) in [
      ("\(folder.path)/none", ""), ("\(folder.path)/none/none", ""), ("\(labels)/none", ""),
      ("none.idx", " in \(here)"), ("", " in \(here)"),
    ] {
      let error = #expect(throws: DatasetError.self) {
        try IDXDataset(featuresPath: path, labelsPath: labels, normalization: .auto)
      }
      #expect(error?.kind == .missing)
      #expect(error?.description == "\(path): no such file\(place)")
    }
  }

  @Test("a folder, a device and a pipe are not files of data")
  func notRegular() throws {
    let labels = try folder.file("labels", MalformedIDXTests.labels)
    let pipe = "\(folder.path)/pipe"
    #expect(mkfifo(pipe, 0o600) == 0)
    for path in [folder.path, "/dev/null", pipe] {
      let error = #expect(throws: DatasetError.self) {
        try IDXDataset(featuresPath: path, labelsPath: labels, normalization: .auto)
      }
      #expect(error?.kind == .unreadable)
      #expect(error?.reason == "not a regular file")
    }
  }

  @Test("an empty file is malformed")
  func empty() {
    #expect(malformed { try open(features: []) }.hasSuffix("the file is empty"))
  }

  @Test("every file that ends early is refused", arguments: IDXFixture.elementTypes.map(\.code))
  func truncated(type: UInt8) throws {
    let whole = IDXFixture.bytes(type, extents: [3, 2], [1, 2, 3, 4, 5, 6])
    try open(features: whole)
    for length in 0..<whole.count {
      let text = malformed("\(length) bytes") { try open(features: Array(whole[..<length])) }
      #expect(text.hasPrefix("\(folder.path)/features: "))
      if length >= 12 { #expect(text.contains("truncated")) }
    }
  }

  @Test("the message of a truncated file says what was expected and what was found")
  func truncatedText() throws {
    let bytes = MalformedIDXTests.features.dropLast()
    #expect(
      malformed { try open(features: Array(bytes)) }
        == "\(folder.path)/features: 3x2 elements of 2 bytes need 24 bytes, found 23: "
        + "the file is truncated, fetch it again")
  }

  @Test("a file that goes on too long is refused", arguments: [1, 2, 4096])
  func tooLong(extra: Int) {
    let bytes = MalformedIDXTests.features + [UInt8](repeating: 0, count: extra)
    #expect(malformed { try open(features: bytes) }.contains("too long"))
  }

  @Test("every first four bytes other than the format's are refused, and shown")
  func magic() {
    for position in 0..<4 {
      for byte: UInt8 in [1, 0x07, 0x0A, 0x0F, 0x80, 0xFF] {
        var bytes = MalformedIDXTests.features
        guard position != 3 else { continue }
        bytes[position] = byte
        let text = malformed("byte \(position)") { try open(features: bytes) }
        let word = bytes[..<4].map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        #expect(text.contains("found 0x\(word)"))
      }
    }
    #expect(
      malformed { try open(features: Array("<!DOCTYPE html>".utf8)) }.contains("not an IDX file"))
  }

  @Test("no dimensions, and 255 of them, are refused")
  func dimensions() {
    _ = malformed { try open(features: [0, 0, 8, 0]) }
    _ = malformed { try open(features: [0, 0, 8, 0, 1, 2, 3, 4]) }
    let text = malformed { try open(features: [0, 0, 8, 255] + [UInt8](repeating: 0, count: 99)) }
    #expect(text.contains("ends within the IDX header"))
  }

  @Test(
    "announced sizes that no integer holds are refused",
    arguments: [
      [4_294_967_295, 4_294_967_295, 4_294_967_295], [2_147_483_648, 4_294_967_295, 2, 2],
      // Their product is 2^63 - 1: the elements can be counted, header and elements cannot.
      [153_092_023, 92737, 649_657],
      [1, 153_092_023, 92737, 649_657],
    ])
  func overflow(extents: [Int]) {
    let bytes = IDXFixture.header(0x08, extents: extents) + [1, 2, 3]
    #expect(malformed { try open(features: bytes) }.contains("more than can exist"))
  }

  @Test(
    "announced sizes far beyond the file's are refused",
    arguments: [[4_294_967_295], [1, 1 << 31]])
  func tooMuch(extents: [Int]) {
    let bytes = IDXFixture.header(0x08, extents: extents) + [1, 2, 3]
    #expect(malformed { try open(features: bytes) }.contains("truncated"))
  }

  @Test(
    "no samples, and samples of nothing, are refused", arguments: [[0], [0, 5], [3, 0], [0, 0]])
  func nothing(extents: [Int]) {
    let text = malformed { try open(features: IDXFixture.header(0x08, extents: extents)) }
    #expect(text.contains("no samples"))
  }

  @Test("labels that are negative or no whole number are refused, and the first one is named")
  func labels() {
    for (type, values, odd): (UInt8, [Double], Int) in [
      (0x09, [0, -1, -1], 1), (0x0B, [0, 1, -300], 2), (0x0C, [-2_147_483_648, 0, 0], 0),
      (0x0D, [1, 2, 0.5], 2), (0x0D, [1, .nan, 0], 1), (0x0E, [.infinity, 0, 0], 0),
      (0x0E, [1, 2, 2_147_483_648], 2),
    ] {
      let text = malformed { try open(labels: IDXFixture.bytes(type, extents: [3], values)) }
      #expect(text.hasSuffix("labels: the label of sample \(odd) is not a natural number"))
    }
  }

  @Test("labels in two dimensions are refused for that, whatever their numbers")
  func labelDimensions() {
    for (extents, values): ([Int], [Double]) in [
      ([3, 1], [0, 1, 2]), ([3, 2], [0, 1, 2, 3, 4, 5]), ([3, 2], [-1, -1, -1, -1, -1, -1]),
    ] {
      let text = malformed { try open(labels: IDXFixture.bytes(0x09, extents: extents, values)) }
      #expect(text.contains("2 dimensions"), "\(text)")
    }
  }

  @Test("features and labels of other counts are refused, with both counts")
  func counts() {
    let text = malformed {
      try open(labels: IDXFixture.bytes(0x08, extents: [2], [0, 1]))
    }
    #expect(text.contains("2 labels for the 3 samples of \(folder.path)/features"))
    let targets = malformed {
      _ = try IDXDataset(
        featuresPath: "\(folder.path)/features", targetsPath: "\(folder.path)/labels",
        normalization: .auto)
    }
    #expect(targets.contains("2 targets for the 3 samples"))
  }
}
