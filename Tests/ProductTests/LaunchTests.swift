import Foundation
import TestSupport
import Testing

extension ProductTests {
  /// `lockstep launch`: what it starts, what it refuses before any rank is started, and how it
  /// ends.
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

    @Test("the exit code is that of the signal that came, even before mpirun hands signals on")
    func earlySignal() throws {
      let folder = try TemporaryDirectory()
      let standIn = try folder.file("mpirun", "#!/bin/sh\ntouch started\nexec sleep 60\n")
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: standIn)
      _ = try folder.file("small.yaml", smallConfiguration)
      let script = """
        PATH=$PWD:$PATH "$@" & job=$!
        while ! [ -e started ]; do kill -0 $job || exit 1; sleep 0.1; done
        sleep 0.5; kill -TERM $job; wait $job
        """
      let result = try Command(
        ["sh", "-c", script, "-", Launching.lockstep, "launch", "-n", "2", "train", "small.yaml"],
        directory: folder.path
      ).run()
      #expect(result.status == 128 + SIGTERM && result.errors.isEmpty, "\(result.errors)")
    }

    @Test("a wrong command is refused once")
    func refusedOnce() throws {
      for words in [["train", "x.yaml", "--nonsense"], ["train"], ["scale", "x.yaml"]] {
        let result = try Launching.alone(["launch", "-n", "3"] + words)
        #expect(result.status == 64)
        #expect(result.errors.components(separatedBy: "Error: ").count == 2, "\(result.errors)")
      }
    }

    @Test("a rank with threads is bound to as many cores")
    func threads() throws {
      let folder = try TemporaryDirectory()
      _ = try folder.file("small.yaml", smallConfiguration)
      let hosts = try folder.file("hosts", "a slots=2\nb slots=2\n")
      let result = try Launching.alone(
        [
          "launch", "--hostfile", hosts, "train", "small.yaml", "--set", "training.threads=3",
        ], environment: ["DRY_RUN": "1"], directory: folder.path)
      #expect(
        result.output.contains(" --map-by slot:PE=3 --bind-to core:overload-allowed "),
        "\(result.output)\(result.errors)")
      #expect(result.output.hasPrefix("mpirun -n 4 "))
    }

    @Test("without -n no more ranks are started than there are shards and samples in a batch")
    func defaultRanks() throws {
      let folder = try TemporaryDirectory()
      _ = try folder.file("small.yaml", smallConfiguration)
      let hosts = try folder.file("hosts", "a slots=40\nb slots=60\n")
      for (settings, ranks) in [
        ([], 8), (["training.shards=64"], 64), (["training.batch-size=6"], 4),
        (["training.reproducible=false", "training.batch-size=99"], 99),
      ] as [([String], Int)] {
        let result = try Launching.alone(
          ["launch", "--hostfile", hosts, "train", "small.yaml"]
            + settings.flatMap { ["--set", $0] },
          environment: ["DRY_RUN": "1"], directory: folder.path)
        #expect(
          result.output.hasPrefix("mpirun -n \(ranks) "), "\(result.output)\(result.errors)")
      }
    }

    @Test("more ranks than slots, or than can be, are refused")
    func tooManyRanks() throws {
      let folder = try TemporaryDirectory()
      _ = try folder.file("small.yaml", smallConfiguration)
      let hosts = try folder.file("hosts", "localhost slots=2\n")
      let slots = try Launching.alone(
        ["launch", "-n", "3", "--hostfile", hosts, "train", "small.yaml"], directory: folder.path)
      #expect(slots.status == 64)
      #expect(slots.errors.contains("have 2 slots"), "\(slots.errors)")
      let many = try Launching.alone(
        ["launch", "-n", "99999999999", "train", "small.yaml"], directory: folder.path)
      #expect(many.status == 64)
      let scale = try Launching.alone(
        ["scale", "small.yaml", "--ranks", "1,3", "--hostfile", hosts], directory: folder.path)
      #expect(scale.status == 64)
      let vast = try Launching.alone(
        ["scale", "small.yaml", "--ranks", "9223372036854775807", "--mode", "weak"],
        directory: folder.path)
      #expect(vast.status == 64)
      #expect(!FileManager.default.fileExists(atPath: folder.path + "/scaling"))
    }

    @Test(
      "an interrupted job saves its state, ends with 75 and leaves no process",
      arguments: Thoroughness.cases(["TERM", "INT", "HUP", "USR1"], everyday: ["TERM", "HUP"]))
    func interrupted(signal: String) throws {
      let folder = try TemporaryDirectory()
      _ = try folder.file("small.yaml", smallConfiguration)
      // A shell's background job ignores INT, and what is ignored from the start stays ignored.
      let line = """
        env --default-signal=INT "$0" launch -n 2 train small.yaml --set training.epochs=1000000 --output run >/dev/null &
        while kill -0 $! && ! grep -qs '"event":"step"' run/metrics.jsonl; do sleep 0.1; done
        kill -\(signal) $!; wait $!; echo "code $?"
        """
      let result = try Command(
        ["bash", "-c", line, Launching.lockstep], directory: folder.path, timeLimit: 60
      ).run()
      #expect(result.output.hasSuffix("code 75\n"), "\(result.output)\(result.errors)")
      let metrics = try String(contentsOfFile: folder.path + "/run/metrics.jsonl", encoding: .utf8)
      #expect(metrics.contains("\"event\":\"start\""))
      #expect(metrics.contains("\"event\":\"checkpoint\""))
      #expect(
        result.errors.hasPrefix("error: interrupted after step ")
          && result.errors.split(separator: "\n").count == 1, "\(result.errors)")
      // Nobody works in the folder any more.
      var workers = [String]()
      for _ in 0..<50 {
        workers = try Command(["sh", "-c", "ls -l /proc/[0-9]*/cwd 2>/dev/null"]).run().output
          .split(separator: "\n").filter { $0.hasSuffix(folder.path) }.map(String.init)
        if workers.isEmpty { break }
        usleep(100_000)
      }
      #expect(workers.isEmpty)
    }
  }
}
