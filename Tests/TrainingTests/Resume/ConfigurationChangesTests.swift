import Testing

@testable import Training

@Suite("configurations to go on with")
struct ConfigurationChangesTests {
  private let yaml = """
    data: {format: synthetic, features: 20, classes: 5, train: {samples: 300}, test: {samples: 90}}
    model: [{dense: 17}, relu, {dense: 5}]
    training: {epochs: 2, batch-size: 64}

    """

  private func lines(_ settings: [String]) throws -> [String] {
    let old = try ConfigurationFixture.read(yaml)
    return ConfigurationChanges(
      from: old, to: try ConfigurationFixture.read(yaml, settings: settings)
    ).lines
  }

  @Test(
    "what makes another run of it is told key by key",
    arguments: [
      ("training.seed=2", "training.seed: 1 in the checkpoint, 2 here"),
      ("training.shards=16", "training.shards: 8 in the checkpoint, 16 here"),
      ("training.batch-size=32", "training.batch-size: 64 in the checkpoint, 32 here"),
      ("training.shuffle=false", "training.shuffle: true in the checkpoint, false here"),
      ("training.reproducible=false", "training.reproducible: true in the checkpoint, false here"),
      ("optimizer.momentum=0.5", "optimizer.momentum: 0.0 in the checkpoint, 0.5 here"),
      ("data.classes=6", "data.classes: 5 in the checkpoint, 6 here"),
      ("data.normalize=none", "data.normalize: auto in the checkpoint, none here"),
      (
        "loss={name: softmax-cross-entropy, label-smoothing: 0.1}",
        "loss: {name: softmax-cross-entropy, label-smoothing: 0.0} in the checkpoint, "
          + "{name: softmax-cross-entropy, label-smoothing: 0.1} here"
      ),
      (
        "optimizer.schedule={name: exponential, gamma: 0.9}",
        "optimizer.schedule.name: constant in the checkpoint, exponential here"
      ),
    ] as [(String, String)])
  func refused(setting: String, line: String) throws {
    #expect(try lines([setting]).first == line)
  }

  @Test("a setting that is there on one side only is told, too")
  func oneSided() throws {
    #expect(
      try lines(["optimizer.name=adamw", "optimizer.learning-rate=0.1"]).contains(
        "optimizer.beta1: nothing in the checkpoint, 0.9 here"))
  }

  @Test("what changes no step's numbers may change")
  func free() throws {
    #expect(
      try lines([
        "training.epochs=9", "training.max-steps=7", "training.target-loss=0.1",
        "training.target-accuracy=0.9", "training.accumulate=2", "log.every-steps=3", "output=x",
        "checkpoint={every-steps: 9, keep: 1, every-seconds: 3}", "collective.algorithm=tree",
        "collective.bucket-bytes=77", "collective.tuning=rules",
      ]) == [])
  }

  @Test("a run with other settings is refused before anything is written, all faults at once")
  func refusedTogether() throws {
    let whole = try TrainedRun(yaml: yaml, settings: ["checkpoint.every-steps=5"], ranks: 2)
    let failure = #expect(throws: JointFailure.self) {
      _ = try TrainedRun(
        yaml: yaml, settings: ["training.seed=2", "model=[{dense: 5}]"], ranks: 2,
        resume: .path(whole.checkpoint(5)))
    }
    #expect(failure?.exitCode == ExitStatus.usage)
    let lines = failure?.description.split(separator: "\n") ?? []
    #expect(lines.count == 3 && lines[0].hasPrefix(whole.checkpoint(5)), "\(lines)")
    #expect(lines.last == "training.seed: 1 in the checkpoint, 2 here")
  }

  @Test("a run of more epochs goes on as if it had been planned so, if rates do not depend on it")
  func moreEpochs() throws {
    let whole = try TrainedRun(yaml: yaml, settings: ["training.epochs=4"], ranks: 1)
    for limit in ["training.max-steps=7", "training.epochs=2"] {
      let first = try TrainedRun(yaml: yaml, settings: [limit], ranks: 2)
      let run = try TrainedRun(
        yaml: yaml, settings: ["training.epochs=4"], ranks: 4, resume: .path(first.path))
      #expect(run.summaries[0].parameterSha256 == whole.summaries[0].parameterSha256)
      #expect(run.summaries[0].trainLoss == whole.summaries[0].trainLoss)
      #expect(run.summaries[0].epochs == 4)
    }
  }

  @Test(
    "another number of steps is refused where rates depend on it, and where too many are made",
    arguments: [
      (["optimizer.schedule.name=cosine"], "training.epochs=4", "planned for 10 steps"),
      (["optimizer.schedule.name=linear"], "training.max-steps=9", "planned for 10 steps"),
      ([], "training.max-steps=4", "5 steps are made"),
    ] as [([String], String, String)])
  func otherLength(settings: [String], change: String, reason: String) throws {
    let first = try TrainedRun(
      yaml: yaml, settings: settings + ["checkpoint.every-steps=5"], ranks: 1)
    let failure = #expect(throws: JointFailure.self) {
      _ = try TrainedRun(
        yaml: yaml, settings: settings + [change], ranks: 2, resume: .path(first.checkpoint(5)))
    }
    #expect(failure?.exitCode == ExitStatus.usage)
    #expect(failure?.description.contains(reason) == true, "\(failure.map { "\($0)" } ?? "")")
    // The same number, written in another way.
    let same = try TrainedRun(
      yaml: yaml, settings: settings + ["training.epochs=5", "training.max-steps=10"], ranks: 2,
      resume: .path(first.checkpoint(5)))
    #expect(same.summaries[0].parameterSha256 == first.summaries[0].parameterSha256)
  }

  @Test("data may lie elsewhere, if they are the same")
  func data() throws {
    let yaml = """
      data: {format: inline, train: {features: [1, 2, 3, 4], targets: [2, 4, 6, 8]}}
      model: [{dense: 1}]
      loss: squared-error
      training: {batch-size: 2, epochs: 3}

      """
    let whole = try TrainedRun(yaml: yaml, settings: ["checkpoint.every-steps=3"], ranks: 1)
    let same = try TrainedRun(
      yaml: yaml, settings: ["data.train.features=[[1.0], [2.0], [3.0], [4.0]]"], ranks: 2,
      resume: .path(whole.checkpoint(3)))
    #expect(same.summaries[0].parameterSha256 == whole.summaries[0].parameterSha256)
    let failure = #expect(throws: JointFailure.self) {
      _ = try TrainedRun(
        yaml: yaml, settings: ["data.train.targets=[2, 4, 6, 9]"], ranks: 2,
        resume: .path(whole.checkpoint(3)))
    }
    #expect(failure?.exitCode == ExitStatus.badData)
    #expect(failure?.description.contains("the data are not those of the run") == true)
  }
}
