import Foundation
import TestSupport
import Testing

extension ProductTests {
  /// `lockstep train --resume`, after crashes and signals.
  @Suite(.serialized) struct ResumeCommandTests {
    /// State of layers and of the optimizer, random numbers, short batches; 3000 steps of it.
    static let configuration = """
      data: {format: synthetic, features: 20, classes: 5, train: {samples: 300}, test: {samples: 90}}
      model: [{dense: 17}, batch-norm, relu, {dropout: 0.2}, {dense: 5}]
      optimizer: {name: adam, learning-rate: 0.01, schedule: {name: cosine}}
      training: {epochs: 600, batch-size: 64}
      checkpoint: {every-steps: 30}
      log: {every-steps: 1}
      output: run
      """

    /// What an undisturbed run ends with.
    static let reference = Result {
      let folder = try TemporaryDirectory()
      let file = try folder.file("c.yaml", configuration)
      let result = try Launching.alone(["train", file], directory: folder.path)
      #expect(result.status == 0, "\(result.errors)")
      let left = try LeftBehind(folder.path + "/run")
      return (hash: left.hash, losses: left.losses)
    }

    func expectWhole(_ directory: String) throws {
      let (left, reference) = (try LeftBehind(directory), try Self.reference.get())
      #expect(left.hash == reference.hash)
      #expect(left.losses == reference.losses)
      #expect(left.summary["replicas-equal"] as? Bool == true)
    }

    @Test(
      "a job that is asked to stop saves its state at once, and goes on from there",
      arguments: [("TERM", 4), ("INT", 1)])
    func interrupted(signal: String, ranks: Int) throws {
      let folder = try TemporaryDirectory()
      _ = try folder.file("c.yaml", Self.configuration)
      let line = """
        env --default-signal=INT "$0" launch -n 2 train c.yaml --set checkpoint.every-steps=0 >/dev/null &
        while kill -0 $!; do
          [ "$(grep -c '"event":"step"' run/metrics.jsonl 2>/dev/null)" -ge 70 ] 2>/dev/null && break
          sleep 0.02
        done
        kill -\(signal) $!; wait $!; echo "code $?"
        """
      let stopped = try Command(
        ["bash", "-c", line, Launching.lockstep], directory: folder.path, timeLimit: 60
      ).run()
      #expect(stopped.output == "code 75\n", "\(stopped.output)\(stopped.errors)")
      let summary = try LeftBehind(folder.path + "/run").summary
      #expect(summary["status"] as? String == "interrupted")
      let saved = try FileManager.default.contentsOfDirectory(
        atPath: folder.path + "/run/checkpoints")
      let step = "\(summary["steps"] as! Int)"
      #expect(saved.count == 1 && saved[0].hasSuffix("0\(step).safetensors"), "\(saved)")
      let again = try Launching.mpirun(
        ranks, [Launching.lockstep, "train", "c.yaml", "--resume", "auto"], directory: folder.path)
      #expect(again.status == 0, "\(again.errors)")
      try expectWhole(folder.path + "/run")
    }

    @Test("a process alone saves its state, too")
    func alone() throws {
      let folder = try TemporaryDirectory()
      _ = try folder.file("c.yaml", Self.configuration)
      let line = """
        env --default-signal=INT "$0" train c.yaml --set training.epochs=\(1 << 20) --quiet &
        while kill -0 $! && ! grep -qs '"event":"step"' run/metrics.jsonl; do sleep 0.02; done
        sleep 0.2; kill -INT $!; wait $!; echo "code $?"
        """
      let stopped = try Command(
        ["bash", "-c", line, Launching.lockstep], directory: folder.path, timeLimit: 60
      ).run()
      #expect(stopped.output == "code 75\n", "\(stopped.errors)")
      #expect(stopped.errors.contains("--resume auto"), "\(stopped.errors)")
    }

    @Test("ranks that see other data, or another program, are refused before anything is written")
    func unequalRanks() throws {
      let folder = try TemporaryDirectory()
      let images: [UInt8] = [0, 0, 8, 2, 0, 0, 0, 8, 0, 0, 0, 2] + (0..<16).map { UInt8($0) }
      let labels: [UInt8] = [0, 0, 8, 1, 0, 0, 0, 8] + (0..<8).map { UInt8($0 % 2) }
      for (host, last) in [("a", UInt8(15)), ("b", 16)] {
        let path = "\(folder.path)/\(host)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try Data(images.dropLast() + [last]).write(to: URL(fileURLWithPath: path + "/images"))
        try Data(labels).write(to: URL(fileURLWithPath: path + "/labels"))
      }
      let file = try folder.file(
        "c.yaml",
        """
        data: {format: idx, train: {features: images, labels: labels}}
        model: [{dense: 2}]
        training: {batch-size: 4}
        output: \(folder.path)/run
        """)
      func words(_ host: String, _ program: String) -> [String] {
        ["-n", "1", "--wdir", "\(folder.path)/\(host)", program, "train", file]
      }
      let copy = folder.path + "/lockstep"
      let other = try Command([
        "bash", "-c", "cp '\(Launching.lockstep)' '\(copy)' && echo >> '\(copy)'",
      ]).run()
      #expect(other.status == 0)
      for (host, program, code, reason) in [
        ("b", Launching.lockstep, 65, "the data are not the same"),
        ("a", copy, 64, "the program is not the same"),
      ] as [(String, String, Int32, String)] {
        // The line's options, and then the ranks one by one.
        let options = [Launching.mpirunWords(1)[0]] + Launching.mpirunWords(1).dropFirst(3)
        let result = try Command(
          options + words("a", Launching.lockstep) + [":"] + words(host, program),
          environment: ["MPIEXEC_TIMEOUT": "30"], directory: folder.path, timeLimit: 40
        ).run()
        #expect(result.status == code, "\(result.errors)")
        #expect(result.errors.contains(reason), "\(result.errors)")
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/run"))
      }
    }
  }
}
