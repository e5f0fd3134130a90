import TestSupport
import Testing

@testable import Datasets

@Suite("files in LIBSVM's format")
struct LibSVMTests {
  private let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory() }

  private func open(
    _ text: String, base: Int = 1, features: Int? = nil, labels: LibSVMDataset.Labels = .classes
  ) throws -> LibSVMDataset {
    try LibSVMDataset(
      path: try folder.file("data", Array(text.utf8)), indexBase: base, features: features,
      labels: labels)
  }

  @Test("a line is a sample: its label, and features by index")
  func samples() throws {
    let data = try open("2 1:0.5 3:-2\n0 2:1e2\n1\n")
    #expect(data.count == 3 && data.featureExtents == [3])
    #expect(data.targets == .labels(classes: 3))
    #expect((0..<3).map { data.features(of: $0) } == [[0.5, 0, -2], [0, 100, 0], [0, 0, 0]])
    #expect((0..<3).map { data.label(of: $0) } == [2, 0, 1])
    let sparse = try #require(data.sparseFeatures)
    #expect(sparse.rowStarts == [0, 2, 3, 3])
    #expect(sparse.columns == [0, 2, 1] && sparse.values == [0.5, -2, 100])
  }

  @Test(
    "comments, qid, blanks, empty lines and features of 0 change nothing",
    arguments: [
      "1 1:2 4:3\n0 2:5\n", "1 1:2 4:3\n0 2:5", "1 1:2 4:3\r\n0 2:5\r\n",
      "# a comment\n\n1\t1:2  4:3 # 5:6\n   \n0 2:5 #\n", "1 qid:7 1:2 4:3\n0 qid:0 2:5\n",
      " +1 1:2.0 2:0 3:-0.0 4:+3e0\n0.0 2:.5e1\n", "1 1:2 4:3#5:6\n0 2:500.0E-2\n",
      "01 01:2. 0004:3\n-0 2:5\n",
    ])
  func sameData(text: String) throws {
    let data = try open(text)
    #expect((0..<data.count).map { data.features(of: $0) } == [[2, 0, 0, 3], [0, 5, 0, 0]])
    #expect((0..<data.count).map { data.label(of: $0) } == [1, 0])
    #expect(data.sparseFeatures?.elementCount == 3)
  }

  @Test("indices start at 1 or at 0, and there are as many features as the largest says, or more")
  func indices() throws {
    #expect(try open("0 1:1 3:2\n").features(of: 0) == [1, 0, 2])
    #expect(try open("0 0:1 3:2\n", base: 0).features(of: 0) == [1, 0, 0, 2])
    let wide = try open("0 1:1 3:2\n", features: 5)
    #expect(wide.features(of: 0) == [1, 0, 2, 0, 0])
    #expect(wide.widened(to: 6).features(of: 0) == [1, 0, 2, 0, 0, 0])
    #expect(try open("0 2147483647:1\n").featureCount == 2_147_483_647)
  }

  @Test(
    "labels become what the loss wants",
    arguments: [
      ("-1\n+1\n1\n", .classes, [0, 1, 1]), ("3\n0\n1\n", .classes, [3, 0, 1]),
      ("1\n1\n", .classes, [1, 1]), ("-1\n0.5\n2e3\n", .values, [-1, 0.5, 2000]),
      ("-1\n+1\n", .probabilities, [0, 1]), ("0\n0.25\n1\n", .probabilities, [0, 0.25, 1]),
      ("-1\n1\n", .signs, [-1, 1]), ("0\n1\n", .signs, [-1, 1]), ("1\n", .signs, [1]),
    ] as [(String, LibSVMDataset.Labels, [Float])])
  func labels(text: String, kind: LibSVMDataset.Labels, expected: [Float]) throws {
    let data = try open(text, features: 1, labels: kind)
    if kind == .classes {
      #expect((0..<data.count).map { Float(data.label(of: $0)) } == expected)
      #expect(data.targets == .labels(classes: Int(expected.max()!) + 1))
    } else {
      #expect((0..<data.count).flatMap { data.targetValues(of: $0) } == expected)
      #expect(data.targets == .values(width: 1))
    }
  }

  @Test("gzip files are inflated")
  func gzip() throws {
    let bytes = try IDXFixture.gzip(Array("1 2:3\n0 1:4\n".utf8))
    let data = try LibSVMDataset(
      path: try folder.file("data.gz", bytes), indexBase: 1, features: nil, labels: .classes)
    #expect(data.features(of: 1) == [4, 0])
  }

  @Test(
    "numbers are those that Swift reads",
    arguments: [
      "0", "7", "-7", "+3.25", "0.1", ".5", "5.", "1e10", "1e-10", "123456789012345678901234567890",
      "9007199254740993", "0.30000000000000004", "1e22", "1e23", "3.4028234e38", "1e-320",
      "4.9e-324", "1e-400", "1e400", "1E+2", "000012.5000", "179769313486231580793e289",
    ])
  func numbers(text: String) {
    let parsed = Array(text.utf8).withUnsafeBytes { DecimalNumber.parse($0[...]) }
    let plain = text.hasSuffix(".") ? String(text.dropLast()) : text
    #expect(parsed == Double(plain), "\(text)")
  }

  @Test(
    "what is no decimal number is refused",
    arguments: [
      "", "+", "-", ".", "e5", "1e", "1e+", "1x", "x1", "0x10", "inf", "nan", "1.2.3", "--1", "1 ",
      "1,5", "1e5.5",
    ])
  func notNumbers(text: String) {
    #expect(Array(text.utf8).withUnsafeBytes { DecimalNumber.parse($0[...]) } == nil)
  }
}
