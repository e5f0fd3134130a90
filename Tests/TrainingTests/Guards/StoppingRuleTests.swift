import Testing

@testable import Training

private let classification = """
  data: {format: synthetic, features: 20, classes: 5, train: {samples: 300}, test: {samples: 90}}
  model: [{dense: 17}, relu, {dense: 5}]
  optimizer: {learning-rate: 0.05, momentum: 0.9}
  training: {epochs: 40, batch-size: 64}
  log: {every-steps: 1}
  """

@Suite("rules that end a run early")
struct StoppingRuleTests {
  @Test("time that is up ends the run after the same step on all ranks", arguments: [1, 2, 3])
  func timeLimit(ranks: Int) throws {
    // Up before the first step is made.
    let run = try TrainedRun(
      yaml: classification, settings: ["training.time-limit=0.000001s"], ranks: ranks)
    for summary in run.summaries {
      #expect(summary.status == "time-limit" && summary.steps == 1 && summary.epochs == 1)
      #expect(summary.testLoss != nil && summary.replicasEqual)
    }
    #expect(try run.events("end").first?["status"] as? String == "time-limit")
    #expect(try run.events("step").count == 1)
    let long = try TrainedRun(
      yaml: classification, settings: ["training.time-limit=1h30m", "training.epochs=1"],
      ranks: ranks)
    #expect(long.summaries[0].status == "completed")
  }

  @Test(
    "patience ends a run that no longer improves, and the best epoch is told", arguments: [1, 2])
  func patience(ranks: Int) throws {
    let stuck = try TrainedRun(
      yaml: classification, settings: ["training.patience=3", "optimizer.learning-rate=0"],
      ranks: ranks)
    for summary in stuck.summaries {
      // The first epoch is an improvement over nothing.
      #expect(summary.status == "patience" && summary.epochs == 4)
      #expect(summary.bestEpoch == 1 && summary.bestLoss == summary.testLoss)
    }
    let learning = try TrainedRun(
      yaml: classification, settings: ["training.patience=3", "training.epochs=5"], ranks: ranks)
    #expect(learning.summaries[0].status == "completed" && learning.summaries[0].bestEpoch == 5)
    let demanding = try TrainedRun(
      yaml: classification, settings: ["training.patience=2", "training.min-improvement=100"],
      ranks: ranks)
    #expect(demanding.summaries[0].status == "patience" && demanding.summaries[0].epochs == 3)
    // Lower all the same.
    #expect(demanding.summaries[0].bestEpoch == 3)
  }

  @Test("without a test set the training loss counts")
  func withoutTest() throws {
    let run = try TrainedRun(
      yaml: classification, settings: ["data.test=null", "training.epochs=3"], ranks: 1)
    #expect(run.summaries[0].bestEpoch == 3)
    #expect(run.summaries[0].bestLoss == run.summaries[0].trainLoss)
  }

  @Test("an improvement is measured from the last one, and the best epoch by the lowest loss")
  func improvement() {
    var record = Improvement()
    for (epoch, loss) in [5, 4.5, 4.2, 3.9, .nan, 4, 3.7].enumerated() {
      record.record(epoch: epoch + 1, loss: loss, least: 1)
      // 4.5 and 4.2 are not lower than 5 by more than 1; 3.9 is.
      #expect(record.epochsWithout == [0, 1, 2, 0, 1, 2, 3][epoch])
    }
    #expect(record.bestEpoch == 7 && record.bestLoss == 3.7)
    var diverged = Improvement()
    diverged.record(epoch: 1, loss: .nan, least: 0)
    #expect(diverged.bestEpoch == nil && diverged.epochsWithout == 1)
  }

  @Test(
    "times are read with units, from the largest to the smallest",
    arguments: [
      ("90", 90), ("0.5", 0.5), ("45s", 45), ("10m", 600), ("1h30m", 5400), ("2d", 172_800),
      ("1d2h3m4.5s", 93784.5), ("1.5h", 5400),
    ] as [(String, Double)])
  func times(text: String, seconds: Double) throws {
    let span = try #require(TimeSpan(text))
    #expect(span.seconds == seconds)
    #expect(TimeSpan("\(span)") == span)
    let limit = try ConfigurationFixture.read(settings: ["training.time-limit=\(text)"])
    #expect(limit.timeLimit == span)
    let again = try TrainingConfiguration(yaml: limit.text, name: "again.yaml")
    #expect(again.timeLimit == span)
  }

  @Test(
    "what is no time is refused",
    arguments: [
      "0", "-1", "10 m", "m", "1m1h", "1h1h", "1h30", "1:30", "soon", "1..5s", ".5h", "0s", "[1]",
      "1e400", "inf",
    ])
  func noTimes(text: String) {
    let faults = ConfigurationFixture.faults(settings: ["training.time-limit=\(text)"])
    #expect(faults.count == 1)
    #expect(
      faults.first?.contains("expected a time of more than 0 such as 90, 10m or 1h30m") == true,
      "\(faults)")
  }

  @Test("min-improvement needs patience; both are in the printed configuration")
  func configuration() throws {
    #expect(
      ConfigurationFixture.faults(settings: ["training.min-improvement=0.1"])
        == ["--set training.min-improvement: needs training.patience"])
    let text = try ConfigurationFixture.read(
      settings: ["training.patience=4", "training.min-improvement=0.1"]
    ).annotatedText
    for key in ["patience: 4", "min-improvement: 0.1", "time-limit: null", "check-replicas: 1000"] {
      #expect(text.contains(key), "\(text)")
    }
  }
}
