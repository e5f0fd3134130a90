import Foundation
import TestSupport
import Testing

/// Something wrong with what a user gives, and how the program must answer.
private struct BadInput: CustomTestStringConvertible, Sendable {
  var testDescription: String
  /// More words for `lockstep train small.yaml`.
  var options: [String]
  var status: Int32
  /// What the one line must say.
  var message: String
}

private let badInputs = [
  BadInput(
    testDescription: "a missing file", options: ["--set", "data.train.features=nowhere.idx"],
    status: 66, message: "nowhere.idx: no such file in /"),
  BadInput(
    testDescription: "a truncated IDX", options: ["--set", "data.train.features=truncated.idx"],
    status: 65, message: "8x3 elements of 1 byte need 36 bytes, found 30: the file is truncated"),
  BadInput(
    testDescription: "features and labels of different counts",
    options: ["--set", "data.train.labels=few.idx"], status: 65,
    message: "few.idx: 5 labels for the 8 samples of features.idx"),
  BadInput(
    testDescription: "a label out of range", options: ["--set", "data.train.labels=large.idx"],
    status: 65, message: "label 9 is out of range: the model has 4 outputs"),
  BadInput(
    testDescription: "a sparse file with indices out of order",
    options: ["--set", "data={format: libsvm, train: {file: wild.txt}}"], status: 65,
    message: "wild.txt:2: index 3 behind 7: indices ascend within a line"),
  BadInput(
    testDescription: "an unknown key", options: ["--set", "training.epohcs=3"], status: 64,
    message: "training.epohcs: unknown key; did you mean 'epochs'?"),
  BadInput(
    testDescription: "a batch smaller than the ranks", options: ["--set", "training.batch-size=1"],
    status: 64, message: "a batch of 1 sample cannot be shared by 2 ranks"),
  BadInput(
    testDescription: "more ranks than shards", options: ["--set", "training.shards=1"],
    status: 64, message: "1 shard cannot be shared by 2 ranks"),
  BadInput(
    testDescription: "a model that no machine can hold",
    options: ["--set", "model=[{dense: 200000000}, {dense: 200000000}, {dense: 4}]"], status: 64,
    message: "make the layers or training.batch-size smaller"),
  BadInput(
    testDescription: "an output that is a file", options: ["--output", "features.idx"], status: 73,
    message: "features.idx: a file is where the folder should be"),
]

extension RefusalTests {
  /// Bad input gets one clear line and the right exit code, and leaves nothing behind.
  @Suite(.serialized) struct BadInputTests {
    /// A folder with a good configuration, good data, and some that is not.
    private func prepare() throws -> TemporaryDirectory {
      let folder = try TemporaryDirectory()
      func idx(_ extents: [UInt8], _ values: [UInt8]) -> [UInt8] {
        [0, 0, 8, UInt8(extents.count)] + extents.flatMap { [0, 0, 0, $0] } + values
      }
      let features = idx([8, 3], Array(repeating: 7, count: 24))
      _ = try folder.file("features.idx", features)
      _ = try folder.file("truncated.idx", Array(features.dropLast(6)))
      _ = try folder.file("labels.idx", idx([8], [0, 1, 2, 3, 0, 1, 2, 3]))
      _ = try folder.file("few.idx", idx([5], [0, 1, 2, 3, 0]))
      _ = try folder.file("large.idx", idx([8], [0, 1, 2, 3, 0, 1, 9, 3]))
      _ = try folder.file("wild.txt", "1 1:1\n0 7:1 3:1\n")
      _ = try folder.file(
        "small.yaml",
        """
        data: {format: idx, train: {features: features.idx, labels: labels.idx}}
        model: [{dense: 4}]
        training: {batch-size: 4}
        output: run
        """)
      return folder
    }

    @Test("the prepared input itself is good")
    func good() throws {
      let folder = try prepare()
      let result = try Launching.mpirun(
        2, [Launching.lockstep, "train", "small.yaml"], directory: folder.path)
      #expect(result.status == 0, "\(result.errors)")
    }

    @Test("bad input is refused by two ranks with one line", arguments: badInputs)
    fileprivate func refused(input: BadInput) throws {
      let folder = try prepare()
      let before = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
      let result = try Launching.mpirun(
        2, [Launching.lockstep, "train", "small.yaml"] + input.options, directory: folder.path)
      #expect(result.status == input.status)
      #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
      #expect(result.errors.contains(input.message), "\(result.errors)")
      #expect(result.output.isEmpty)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == before)
    }

    @Test("alone, the answer is the same", arguments: badInputs.prefix(6))
    fileprivate func refusedAlone(input: BadInput) throws {
      let folder = try prepare()
      let result = try Launching.alone(
        ["train", "small.yaml"] + input.options, directory: folder.path)
      #expect(result.status == input.status)
      #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
      #expect(result.errors.contains(input.message), "\(result.errors)")
    }

    @Test("every fault of a configuration is reported at once, with its line")
    func manyFaults() throws {
      let folder = try TemporaryDirectory()
      let file = try folder.file(
        "bad.yaml",
        """
        data: {format: synthetic, train: {samples: 10}}
        modle: [relu]
        training:
          epochs: many
          shards: 6
        """)
      let result = try Launching.alone(["train", file])
      #expect(result.status == 64)
      for part in [
        "\(file):2: modle: unknown key; did you mean 'model'?", "model: missing",
        "\(file):4: training.epochs: expected a whole number from 1 to 2147483648, found 'many'",
        "\(file):5: training.shards: expected a power of two, found 6",
      ] { #expect(result.errors.contains(part), "\(result.errors)") }
    }

    @Test("a configuration or a hostfile that does not exist is named")
    func missingFiles() throws {
      let configuration = try Launching.alone(["train", "nowhere.yaml"])
      #expect(configuration.status == 66)
      #expect(configuration.errors.contains("nowhere.yaml"))
      let hostfile = try Launching.alone(
        ["launch", "-n", "2", "--hostfile", "nowhere", "train", "x.yaml"])
      #expect(hostfile.status == 66)
      #expect(hostfile.errors == "error: nowhere: no such hostfile\n")
    }

    @Test("an option that does not exist is refused")
    func unknownOption() throws {
      #expect(try Launching.alone(["train", "x.yaml", "--nonsense"]).status == 64)
      #expect(try Launching.alone(["nonsense"]).status == 64)
      #expect(try Launching.alone(["scale", "x.yaml", "--ranks", "1,two"]).status == 64)
    }
  }
}
