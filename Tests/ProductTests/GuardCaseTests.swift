import TestSupport
import Testing

extension ProductTests {
  /// Ranks that go wrong in training, under mpirun.
  @Suite(.serialized) struct GuardCaseTests {
    @Test(
      "a flipped bit and a gradient that is not a number are found, and their rank is named",
      arguments: 2...4)
    func named(ranks: Int) throws {
      try Launching.expectPassed(["flip", "spoil"], ranks)
    }

    @Test("a layer that throws on one rank ends the job, and the rank is named")
    func throwingLayer() throws {
      // Ranks that are ended leave their run directory.
      let folder = try TemporaryDirectory()
      let result = try Launching.mpirun(
        3, [Launching.rankCases, "layer"], environment: ["TMPDIR": folder.path])
      #expect(result.status == 76 && !result.isTimedOut)
      let lines = result.errors.split(separator: "\n").filter { $0.contains("on purpose") }
      #expect(lines.count == 1 && lines[0].hasPrefix("[2/3 "), "\(result.errors)")
    }

    @Test("a run that skips, and one whose time is up, end well on all ranks")
    func endsWell() throws {
      let folder = try TemporaryDirectory()
      let file = try folder.file("small.yaml", smallConfiguration)
      for (settings, status, steps) in [
        (["training.time-limit=0.000001"], "time-limit", 1),
        (["training.patience=2", "optimizer.learning-rate=0"], "patience", 15),
        (["training.divergence.policy=skip", "training.check-replicas=1"], "completed", 15),
      ] as [([String], String, Int)] {
        let output = "\(folder.path)/\(status)"
        let result = try Launching.mpirun(
          2,
          [Launching.lockstep, "train", file, "--output", output]
            + settings.flatMap { ["--set", $0] }, directory: folder.path)
        #expect(result.status == 0, "\(result.errors)")
        let left = try LeftBehind(output)
        #expect(left.summary["status"] as? String == status)
        #expect(left.summary["steps"] as? Int == steps)
      }
    }
  }
}
