import Testing

@testable import Training

/// Of one feature a sample, with the targets given.
private func yaml(loss: String, train: String, test: String = "[1]") -> String {
  """
  data: {format: inline, train: {features: [1, 2, 3], targets: \(train)},
         test: {features: [1], targets: \(test)}}
  model: [{dense: 1}]
  loss: \(loss)
  training: {epochs: 1, batch-size: 3}
  """
}

@Suite("targets that a loss does not take are refused")
struct TargetCheckTests {
  @Test(
    "whichever part they are in, before anything is trained",
    arguments: [
      (
        "hinge", "[1, 0, -1]", "[1]", "data.train: sample 1 has the target 0.0, and hinge takes the"
      ),
      ("hinge", "[1, 1, -1]", "[2]", "data.test: sample 0 has the target 2.0, and hinge takes the"),
      (
        "binary-cross-entropy", "[1, 0.5, 255]", "[1]",
        "data.train: sample 2 has the target 255.0, and binary-cross-entropy takes targets from 0 to 1"
      ),
      ("binary-cross-entropy", "[1, -1, 0]", "[1]", "data.train: sample 1 has the target -1.0"),
    ])
  func refused(loss: String, train: String, test: String, message: String) throws {
    let failure = try TrainedRun.failure(
      yaml: yaml(loss: loss, train: train, test: test), ranks: 2)
    #expect(failure.exitCode == ExitStatus.badData)
    #expect(failure.description.contains(message), "\(failure)")
  }

  @Test(
    "those that it takes are trained on",
    arguments: [
      ("hinge", "[1, -1, -1]"), ("binary-cross-entropy", "[0, 0.25, 1]"),
      ("squared-error", "[255, -7, 0]"),
    ])
  func taken(loss: String, targets: String) throws {
    let run = try TrainedRun(yaml: yaml(loss: loss, train: targets), ranks: 1)
    #expect(run.summaries[0].steps == 1)
  }
}
