import Foundation
import TestSupport
import Testing

extension ProductTests {
  /// `lockstep scale`.
  @Suite(.serialized) struct ScaleTests {
    @Test("scale measures, in turns, and reports", arguments: ["strong", "weak"])
    func scale(mode: String) throws {
      let folder = try TemporaryDirectory()
      _ = try folder.file("small.yaml", smallConfiguration)
      let result = try Launching.alone(
        [
          "scale", "small.yaml", "--ranks", "1,2", "--repeats", "2", "--mode", mode, "--output",
          "report", "--set", "training.epochs=2",
        ], directory: folder.path)
      #expect(result.status == 0, "\(result.errors)")
      let order = result.output.split(separator: "\n").filter { $0.hasPrefix("run ") }
        .map { $0.split(separator: " ")[3] }
      #expect(order == ["1", "2", "1", "2"])
      let csv = try String(contentsOfFile: folder.path + "/report/report.csv", encoding: .utf8)
      let rows = csv.split(separator: "\n").dropFirst().map { $0.split(separator: ",") }
      #expect(rows.map { $0[1] } == ["1", "2"])
      #expect(rows.map { $0[2] } == (mode == "strong" ? ["64", "64"] : ["64", "128"]))
      #expect(rows.allSatisfy { $0.last == "true" })
      let text = try String(contentsOfFile: folder.path + "/report/report.txt", encoding: .utf8)
      #expect(result.output.contains(text))
      #expect(
        FileManager.default.fileExists(atPath: folder.path + "/report/speedup.svg"))
      if mode == "strong" {
        // The same training on 1 and 2 ranks: the same parameters.
        let hashes = try ["ranks-1-repeat-1", "ranks-2-repeat-2"].map {
          try LeftBehind("\(folder.path)/report/runs/\($0)").hash
        }
        #expect(hashes[0] == hashes[1])
      }
    }

    @Test("a run that fails ends the experiment with its exit code and last line")
    func failingScale() throws {
      let folder = try TemporaryDirectory()
      _ = try folder.file("small.yaml", smallConfiguration)
      let result = try Launching.alone(
        ["scale", "small.yaml", "--ranks", "1,2", "--set", "optimizer.learning-rate=1e30"],
        directory: folder.path)
      #expect(result.status == 76)
      #expect(
        result.errors.contains("the run on 1 rank, repeat 1, ended with 76: error: step 2 "),
        "\(result.errors)")
    }

    @Test("a dry run of an experiment prints its lines and starts nothing")
    func dryScale() throws {
      let folder = try TemporaryDirectory()
      _ = try folder.file("small.yaml", smallConfiguration)
      let result = try Launching.alone(
        ["scale", "small.yaml", "--ranks", "1,2", "--repeats", "2"],
        environment: ["DRY_RUN": "1"], directory: folder.path)
      #expect(result.status == 0)
      let lines = result.output.split(separator: "\n").map { $0.prefix(11) }
      #expect(lines == ["mpirun -n 1", "mpirun -n 2", "mpirun -n 1", "mpirun -n 2"])
      #expect(!FileManager.default.fileExists(atPath: folder.path + "/scaling"))
    }
  }
}
