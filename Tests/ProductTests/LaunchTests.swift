import Foundation
import TestSupport
import Testing

extension ProductTests {
  /// `lockstep launch`, `lockstep scale` and `run.sh`.
  @Suite(.serialized) struct LaunchTests {
    @Test("launch starts the ranks, passes options on and returns the exit code")
    func launch() throws {
      let folder = try TemporaryDirectory()
      _ = try folder.file("small.yaml", smallConfiguration)
      let result = try Launching.alone(
        ["launch", "-n", "3", "train", "small.yaml", "--set", "training.epochs=1"],
        directory: folder.path)
      #expect(result.status == 0, "\(result.errors)")
      #expect(try LeftBehind(folder.path + "/run").summary["ranks"] as? Int == 3)
      let refused = try Launching.alone(
        ["launch", "-n", "3", "train", "small.yaml", "--set", "training.batch-size=2"],
        directory: folder.path)
      #expect(refused.status == 64)
      #expect(refused.errors.split(separator: "\n").count == 1, "\(refused.errors)")
    }

    @Test("a dry run prints the line that would be run, and it runs")
    func dryRun() throws {
      let folder = try TemporaryDirectory()
      _ = try folder.file("small.yaml", smallConfiguration)
      let result = try Launching.alone(
        ["launch", "-n", "2", "train", "small.yaml", "--set", "output='a b'"],
        environment: ["DRY_RUN": "1"], directory: folder.path)
      #expect(result.status == 0)
      #expect(result.output.hasPrefix("mpirun -n 2 "))
      #expect(!FileManager.default.fileExists(atPath: folder.path + "/a b"))
      let run = try Command(["sh", "-c", result.output], directory: folder.path).run()
      #expect(run.status == 0, "\(run.errors)")
      #expect(try LeftBehind(folder.path + "/a b").summary["ranks"] as? Int == 2)
    }

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
        result.errors.contains("the run on 1 rank, repeat 1, ended with 76: error: the "),
        "\(result.errors)")
    }

    /// Whether run.sh would go straight to work: it builds what is not up to date.
    private static let isReleaseBuilt: Bool = {
      let binary = Location.package + "/.build/release/lockstep"
      let newer = try? Command([
        "find", Location.package + "/Sources", Location.package + "/Package.swift", "-newer",
        binary, "-print", "-quit",
      ]).run()
      return newer?.status == 0 && newer?.output.isEmpty == true
        && FileManager.default.fileExists(atPath: binary + ".commit")
    }()

    @Test(
      "run.sh trains with any placement of its options",
      .enabled(if: isReleaseBuilt, "needs an up-to-date release build: ./run.sh build"))
    func runScript() throws {
      let folder = try TemporaryDirectory()
      _ = try folder.file("small.yaml", smallConfiguration)
      let script = Location.package + "/run.sh"
      let result = try Command(
        [script, "train", "small.yaml", "-n", "2", "--set", "training.epochs=1"],
        directory: folder.path
      ).run()
      #expect(result.status == 0, "\(result.errors)")
      let left = try LeftBehind(folder.path + "/run").summary
      #expect(left["ranks"] as? Int == 2)
      #expect(left["steps"] as? Int == 5)

      let hosts = try folder.file("hosts", "localhost slots=3\n")
      for options in [
        ["--hostfile", hosts, "small.yaml", "-n", "2"],
        ["small.yaml", "-n2", "--hostfile=\(hosts)"],
      ] {
        let dry = try Command(
          [script, "train"] + options, environment: ["DRY_RUN": "1"], directory: folder.path
        ).run()
        #expect(dry.status == 0, "\(dry.errors)")
        #expect(dry.output.hasPrefix("mpirun -n 2 "))
        #expect(dry.output.contains("--hostfile \(hosts)"))
        #expect(dry.output.hasSuffix("train small.yaml\n"))
      }
      // Without -n: as many ranks as the hostfile has slots, down to a power of two.
      let slots = try Command(
        [script, "train", "small.yaml", "--hostfile", hosts], environment: ["DRY_RUN": "1"],
        directory: folder.path
      ).run()
      #expect(slots.output.hasPrefix("mpirun -n 2 "))

      let missing = try Command(
        [script, "train", "small.yaml", "--hostfile", "nowhere"], directory: folder.path
      ).run()
      #expect(missing.status == 66)
      #expect(missing.errors == "error: nowhere: no such hostfile\n")
      #expect(try Command([script, "--help"]).run().output.contains("usage: ./run.sh"))
    }
  }
}
