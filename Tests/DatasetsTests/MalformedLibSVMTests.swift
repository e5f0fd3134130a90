import Kernels
import TestSupport
import Testing

@testable import Datasets

@Suite("files in LIBSVM's format that are not as they should be")
struct MalformedLibSVMTests {
  private static let start = "1 1:1\n0 2:2\n"

  @Test(
    "the message names the file, the line and what is wrong",
    arguments: [
      ("x 1:1", "expected a label, found 'x': a line is 'label index:value index:value ...'"),
      ("3:1 4:1", "expected a label, found '3:1'"),
      ("nan 1:1", "expected a label, found 'nan'"),
      ("\u{1}\u{2} 1:1", "expected a label, found '??'"),
      ("1,3 1:1", "'1,3' are several labels, and a sample has one"),
      ("1 5", "expected index:value, found '5'"),
      ("1 1:1 abcdefghijklmnopqrstuvwxyz", "found 'abcdefghijklmnopqrstuvwx...'"),
      ("1 a:1", "'a:1': an index is a whole number"),
      ("1 -1:1", "'-1:1': an index is a whole number"),
      ("1 1.0:1", "'1.0:1': an index is a whole number"),
      ("1 :1", "':1': an index is a whole number"),
      ("1 0:1", "index 0, where the first is 1: if it is 0 in this file, set data.index-base: 0"),
      ("1 2147483648:1", "index 2147483648 is too large: it stays below 2^31"),
      ("1 99999999999999999999999:1", "is too large: it stays below 2^31"),
      ("1 2:1 2:1", "index 2 behind 2: indices ascend within a line"),
      ("1 7:1 3:1", "index 3 behind 7: indices ascend within a line"),
      ("1 1:", "'1:': a value is a finite number"),
      ("1 1:x", "'1:x': a value is a finite number"),
      ("1 1:nan", "'1:nan': a value is a finite number"),
      ("1 1:1e39", "'1:1e39': a value is a finite number"),
      ("1 1:1:1", "'1:1:1': a value is a finite number"),
      ("1 1: 1", "'1:': a value is a finite number"),
      ("1 1:1 qid:3", "'qid:3': qid is a whole number, once, behind the label"),
      ("1 qid:1 qid:1 1:1", "'qid:1': qid is a whole number, once, behind the label"),
      ("1 qid:x 1:1", "'qid:x': qid is a whole number, once, behind the label"),
      ("0.5 1:1", "the label is 0.5, and not a class: a whole number from 0 on, or -1 and +1"),
      ("-2 1:1", "the label is -2, and not a class"),
      ("3e9 1:1", "the label is 3000000000, and not a class"),
    ])
  func fault(line: String, message: String) throws {
    let folder = try TemporaryDirectory()
    let path = try folder.file("data", Array((MalformedLibSVMTests.start + line + "\n").utf8))
    let error = #expect(throws: DatasetError.self) {
      try LibSVMDataset(path: path, indexBase: 1, features: nil, labels: .classes)
    }
    #expect(error?.kind == .malformed)
    #expect(error?.description.hasPrefix("\(path):3: ") == true, "\(String(describing: error))")
    #expect(error?.description.contains(message) == true, "\(String(describing: error))")
  }

  @Test(
    "labels are held against what they have to be, with the line of the first that is not",
    arguments: [
      ("1\n-1\n0\n", .classes, "3: the label is 0, and not -1 and +1, as others in this file"),
      ("0\n-1\n1\n", .probabilities, "1: the label is 0, and not -1 and +1, as others"),
      ("0\n1.5\n", .probabilities, "2: the label is 1.5, and not from 0 to 1, or -1 and +1"),
      ("1\n3\n", .signs, "2: the label is 3, and not -1 and +1, or 0 and 1"),
      ("0\n-1\n", .signs, "2: the label is -1, and not 0 and 1, as others in this file"),
      ("1\n\n1e39\n", .values, "3: the label is 1e+39, and not a number in float32's range"),
    ] as [(String, LibSVMDataset.Labels, String)])
  func labels(text: String, kind: LibSVMDataset.Labels, message: String) throws {
    let folder = try TemporaryDirectory()
    let path = try folder.file("data", Array(text.utf8))
    let error = #expect(throws: DatasetError.self) {
      try LibSVMDataset(path: path, indexBase: 1, features: 1, labels: kind)
    }
    #expect(
      error?.description.hasPrefix("\(path):\(message)") == true, "\(String(describing: error))")
  }

  @Test("a file without samples, an index beyond those that are given, and no file at all")
  func files() throws {
    let folder = try TemporaryDirectory()
    func fault(_ text: String, features: Int? = nil) throws -> String {
      let path = try folder.file("data", Array(text.utf8))
      let error = #expect(throws: DatasetError.self) {
        try LibSVMDataset(path: path, indexBase: 0, features: features, labels: .classes)
      }
      return String((error?.description ?? "").dropFirst(path.count))
    }
    #expect(try fault("") == ": the file is empty")
    #expect(try fault("# nothing\n\n") == ": there are no samples in it")
    #expect(
      try fault("1 0:1\n1 4:1\n1 5:1\n", features: 5)
        == ":3: index 5 is beyond data.features: 5, from 0 to 4")
    let error = #expect(throws: DatasetError.self) {
      try LibSVMDataset(
        path: folder.path + "/none", indexBase: 1, features: nil, labels: .classes)
    }
    #expect(error?.kind == .missing)
  }

  /// One to three bytes of a good file replaced, case i as a function of i.
  @Test("a mutated file opens as samples that hold together, or is refused")
  func mutations() throws {
    let folder = try TemporaryDirectory()
    let original = Array("+1 qid:3 1:0.5 12:1e-2 # c\n-1 2:3 700:-4.25\n\n1 1:1 2:2 3:3\n".utf8)
    let stream = RandomStream(seed: 11, purpose: .shuffle, instance: 0)
    let alphabet = Array("0123456789:.+-e #\nq\r\t\0x".utf8)
    var opened = 0
    for number in 0..<2000 {
      var bytes = original
      for edit in 0...number % 3 {
        let words = stream.block(UInt64(3 * number + edit))
        bytes[Int(words.x) % bytes.count] = alphabet[Int(words.y) % alphabet.count]
      }
      let path = try folder.file("data", bytes)
      do {
        let data = try LibSVMDataset(path: path, indexBase: 1, features: nil, labels: .values)
        let sparse = try #require(data.sparseFeatures)
        #expect(sparse.rowStarts.last == sparse.values.count)
        #expect(sparse.columns.allSatisfy { $0 >= 0 && $0 < data.featureCount })
        #expect(sparse.values.allSatisfy { $0.isFinite && $0 != 0 })
        opened += 1
      } catch let error as DatasetError {
        #expect(error.kind == .malformed, "case \(number): \(error)")
      }
    }
    #expect(opened > 200 && opened < 2000)
  }
}
