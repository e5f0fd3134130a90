import Foundation
import TestSupport
import Testing

extension RefusalTests {
  /// What all ranks must have in common, and what all of them know.
  @Suite(.serialized) struct AgreementTests {
    @Test(
      "ranks with different configurations are told so, and nobody waits",
      arguments: ["training.epochs=4", "optimizer.learning-rate=0.06", "training.batch-size=32"])
    func differentConfigurations(setting: String) throws {
      let folder = try TemporaryDirectory()
      let file = try folder.file("small.yaml", smallConfiguration)
      let train = [Launching.lockstep, "train", file]
      let result = try Launching.mpirun(
        2, train + [":", "-n", "1"] + train + ["--set", setting], directory: folder.path,
        timeLimit: 30)
      #expect(result.status == 64)
      #expect(result.errors.hasPrefix("error: rank 2 on "), "\(result.errors)")
      #expect(result.errors.split(separator: "\n").count == 1)
      #expect(!FileManager.default.fileExists(atPath: folder.path + "/run"))
    }

    @Test("ranks with different data under one name are told so")
    func differentData() throws {
      let folder = try TemporaryDirectory()
      let file = try folder.file(
        "data.yaml",
        """
        data: {format: idx, train: {features: x.idx, targets: x.idx}}
        model: [{dense: 1}]
        loss: squared-error
        training: {batch-size: 2}
        output: run
        """)
      for (name, count) in [("a", UInt8(6)), ("b", 7)] {
        try FileManager.default.createDirectory(
          atPath: "\(folder.path)/\(name)", withIntermediateDirectories: true)
        _ = try folder.file("\(name)/x.idx", [0, 0, 8, 1, 0, 0, 0, count] + (0..<count))
      }
      let train = [Launching.lockstep, "train", file]
      let result = try Launching.mpirun(
        1,
        ["-wdir", folder.path + "/a"] + train
          + [":", "-n", "1", "-wdir", folder.path + "/b"] + train, timeLimit: 30)
      #expect(result.status == 65)
      #expect(result.errors.contains("the data are not the same"), "\(result.errors)")
    }

    @Test(
      "a diverged run ends with 76, is said once, and does not count as completed",
      arguments: [
        // In a later step's loss, and in the parameters after the only step.
        ("small.yaml", ["optimizer.learning-rate=1e20"]),
        (
          Location.package + "/Examples/linear-regression.yaml",
          ["optimizer.learning-rate=1e38", "training.max-steps=1", "output=run"]
        ),
      ])
    func diverged(file: String, settings: [String]) throws {
      let folder = try TemporaryDirectory()
      _ = try folder.file("small.yaml", smallConfiguration)
      let result = try Launching.mpirun(
        2, [Launching.lockstep, "train", file] + settings.flatMap { ["--set", $0] },
        directory: folder.path)
      #expect(result.status == 76)
      #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
      #expect(result.errors.contains("lower optimizer.learning-rate"))
      let metrics = try String(contentsOfFile: folder.path + "/run/metrics.jsonl", encoding: .utf8)
      #expect(metrics.contains("\"status\":\"diverged\""))
      #expect(!FileManager.default.fileExists(atPath: folder.path + "/run/summary.json"))
    }

    @Test(
      "a full standard output does not end a run",
      arguments: [">/dev/full", ">/dev/full 2>/dev/full"])
    func unwritableOutput(redirection: String) throws {
      let folder = try TemporaryDirectory()
      let file = try folder.file("small.yaml", smallConfiguration)
      let result = try Command(
        ["sh", "-c", "exec \"$0\" train \"$1\" \(redirection)", Launching.lockstep, file],
        directory: folder.path
      ).run()
      #expect(result.status == 0, "\(result.errors)")
    }
  }
}
