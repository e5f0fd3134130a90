import Foundation
import TestSupport
import Testing

@testable import Training

/// 300 samples in batches of 64: five steps an epoch.
private let classification = """
  data: {format: synthetic, features: 20, classes: 5, train: {samples: 300}, test: {samples: 90}}
  model: [{dense: 17}, batch-norm, relu, {dense: 5}]
  optimizer: {learning-rate: 0.05, momentum: 0.9}
  training: {epochs: 3, batch-size: 64, spike-deviations: 0}
  log: {every-steps: 1}
  """

/// Sample 5 of 8 is so large that a float cannot hold the square of its error. An epoch is one step.
private let overflow = """
  data: {format: inline, train: {features: [1, 2, 3, 4, 5, 3e38, 7, 8], targets: [1, 2, 3, 4, 5, 6, 7, 8]}}
  model: [{dense: 1}]
  loss: squared-error
  optimizer: {learning-rate: 0}
  training: {batch-size: 8, shuffle: false}
  """

@Suite("numbers that are not finite")
struct DivergenceTests {
  @Test("a run that diverges everywhere ends with 76, and says what to do", arguments: [1, 2])
  func everywhere(ranks: Int) throws {
    let failure = try TrainedRun.failure(
      yaml: classification,
      settings: ["optimizer.learning-rate=1e30", "model=[{dense: 17}, relu, {dense: 5}]"],
      ranks: ranks)
    #expect(failure.exitCode == ExitStatus.diverged)
    #expect(
      failure.description.hasPrefix("step 2 (epoch 1, batch 2: samples 65 to 128 of the epoch): "))
    #expect(failure.description.contains("the gradient of 2.dense.bias is not finite"))
    #expect(
      failure.description.hasSuffix(
        "lower optimizer.learning-rate (1e+30) or set optimizer.clip-norm"))
    #expect(!failure.description.contains("on rank "), "all have it, or there is one")
  }

  @Test("a sample that overflows is named, with its rank and host, on any number of ranks")
  func sample() throws {
    for (ranks, culprit) in [(1, nil), (2, 1), (4, 2), (8, 5)] as [(Int, Int?)] {
      let failure = try TrainedRun.failure(yaml: overflow, ranks: ranks)
      let who = culprit.map { "on rank \($0) on host\($0) " } ?? ""
      #expect(
        failure.description.contains("it begins \(who)with the "), "\(failure.description)")
      #expect(failure.description.contains(", first for sample 5 of data.train"))
    }
  }

  @Test(
    "the rank whose gradient alone is not a number is named, with layer and host",
    arguments: [2, 3, 4])
  func rank(ranks: Int) throws {
    let culprit = ranks - 1
    let failure = try TrainedRun.failure(
      yaml: classification, ranks: ranks,
      prepare: StepFaults.spoilGradient(ofStep: 7, onRanks: [culprit]))
    #expect(failure.exitCode == ExitStatus.diverged)
    #expect(
      failure.description.hasPrefix(
        "step 7 (epoch 2, batch 2: samples 65 to 128 of the epoch): "
          + "the gradient of 3.dense.bias is not finite; it begins on rank \(culprit) on "
          + "host\(culprit) with the gradient of 3.dense.bias: "), "\(failure.description)")
  }

  @Test("a fault that does not come again is said to be one")
  func transient() throws {
    let failure = try TrainedRun.failure(
      yaml: classification, ranks: 2,
      prepare: StepFaults.spoilGradient(ofStep: 2, onRanks: [1], onlyOnce: true))
    #expect(failure.description.contains("no rank finds it when it computes its part again"))
  }

  @Test("an update that overflows is noticed at the end, and a test loss too")
  func lastUpdate() throws {
    let yaml = """
      data: {format: inline, train: {features: [1, 2], targets: [3, 4]}}
      model: [{dense: 1}]
      loss: squared-error
      optimizer: {learning-rate: 3e38}
      training: {batch-size: 2}
      """
    let failure = try TrainedRun.failure(yaml: yaml, ranks: 2)
    #expect(failure.description.hasPrefix("the run ends with 0.dense.weight not finite: lower "))
    let test = try TrainedRun.failure(
      yaml: yaml,
      settings: [
        "optimizer.learning-rate=0", "data.test={features: [3e38], targets: [1]}",
      ], ranks: 1)
    #expect(test.description.hasPrefix("the test loss is inf: lower "), "\(test.description)")
  }

  @Test(
    "a skipped step leaves parameters, optimizer and running means as they were",
    arguments: [1, 2, 4])
  func skipped(ranks: Int) throws {
    let skip = "training.divergence.policy=skip"
    let run = try TrainedRun(
      yaml: classification, settings: [skip, "training.max-steps=6"], ranks: ranks,
      prepare: StepFaults.spoilGradient(ofStep: 6, onRanks: [ranks - 1]))
    let five = try TrainedRun(
      yaml: classification, settings: [skip, "training.max-steps=5"], ranks: ranks)
    #expect(run.summaries[0].steps == 6 && run.summaries[0].status == "completed")
    // The hash is of what batch normalization remembers, too.
    #expect(run.summaries[0].parameterSha256 == five.summaries[0].parameterSha256)
    let warnings = try run.events("warning").map { $0["message"] as! String }
    #expect(warnings.count == 1)
    #expect(warnings[0].hasPrefix("skipped step 6 (epoch 2, batch 1: "), "\(warnings)")
    // In the middle of a run, the others are made.
    let middle = try TrainedRun(
      yaml: classification, settings: [skip], ranks: ranks,
      prepare: StepFaults.spoilGradient(ofStep: 3, onRanks: [0], onlyOnce: true))
    #expect(middle.areReplicasEqual && middle.summaries[0].steps == 15)
    #expect(try middle.events("warning").count == 1)
  }

  @Test("a skipped step does not count in the epoch's loss")
  func skippedLoss() throws {
    let settings = ["training.divergence.policy=skip", "training.batch-size=1"]
    let run = try TrainedRun(yaml: overflow, settings: settings, ranks: 1)
    let losses = try run.events("step").compactMap { $0["loss"] as? Double }
    let summary = run.summaries[0]
    #expect(summary.steps == 8 && summary.trainLoss != nil)
    #expect(losses.count <= 8)
    let finite = try TrainedRun(
      yaml: overflow.replacing("3e38, ", with: "").replacing("6, 7", with: "7"),
      settings: settings, ranks: 1)
    #expect(summary.trainLoss == finite.summaries[0].trainLoss)
  }

  @Test("one skip too many ends the run", arguments: ["max-skips", "max-skips-in-a-row"])
  func tooManySkips(key: String) throws {
    let settings = [
      "training.divergence={policy: skip, \(key): 1}", "training.epochs=2",
    ]
    // Every epoch is one step, and every step overflows.
    let failure = try TrainedRun.failure(yaml: overflow, settings: settings, ranks: 2)
    #expect(failure.exitCode == ExitStatus.diverged)
    #expect(failure.description.hasPrefix("step 2 ("))
    #expect(failure.description.hasSuffix("(training.divergence.\(key) is 1)"), "\(failure)")
  }

  @Test("a run that continues warns at once, then seldom, and ends", arguments: [1, 2])
  func goesOn(ranks: Int) throws {
    let run = try TrainedRun(
      yaml: overflow, settings: ["training.divergence.policy=continue", "training.epochs=102"],
      ranks: ranks)
    let warnings = try run.events("warning").map { $0["message"] as! String }
    #expect(run.summaries[0].status == "completed" && run.summaries[0].steps == 102)
    #expect(run.summaries[0].trainLoss == nil)
    let steps = warnings.filter { $0.hasPrefix("step ") }
    try #require(steps.count == 2, "\(warnings)")
    #expect(steps[0].hasPrefix("step 1 (") && steps[1].hasPrefix("step 101 ("))
    #expect(steps[1].hasSuffix("(and 99 more since the last warning)"), "\(warnings)")
  }

  @Test("an update that is made all the same is that of the ranks' sum", arguments: [2, 3])
  func continuedUpdate(ranks: Int) throws {
    // One output of five is spoilt on one rank: the others' parameters go on.
    let settings = ["training.divergence.policy=continue", "training.max-steps=2"]
    let run = try TrainedRun(
      yaml: classification, settings: settings, ranks: ranks,
      prepare: StepFaults.spoilGradient(ofStep: 2, onRanks: [ranks - 1]))
    #expect(run.areReplicasEqual)
  }

  @Test("max-skips goes with the policy that skips only, and is not negative")
  func configuration() throws {
    func read(_ value: String) throws -> DivergencePolicy {
      try ConfigurationFixture.read(settings: ["training.divergence=\(value)"]).divergence
    }
    #expect(try ConfigurationFixture.read().divergence == .stop)
    #expect(try read("{policy: continue}") == .continue)
    #expect(try read("{policy: skip}") == .skip(most: 100, mostInARow: 10))
    #expect(try read("{policy: skip, max-skips: 3}") == .skip(most: 3, mostInARow: 3))
    #expect(
      ConfigurationFixture.faults(settings: ["training.divergence={policy: stop, max-skips: 3}"])
        == ["--set training.divergence.max-skips: stop has no 'max-skips'; skip has it"])
    #expect(
      ConfigurationFixture.faults(settings: ["training.divergence={policy: go}"])
        == ["--set training.divergence.policy: expected stop or skip or continue, found 'go'"])
    #expect(
      ConfigurationFixture.faults(
        settings: ["training.divergence={policy: skip, max-skips-in-a-row: -1}"]
      ).count == 1)
  }
}

@Suite("where a fault comes from")
struct FaultOriginTests {
  private func fault(_ order: Int, _ place: String) -> NumericFault {
    NumericFault(order: order, place: place)
  }

  @Test("the ranks whose fault is the first on the way are to blame")
  func first() {
    let origin = FaultOrigin([fault(4, "b"), nil, fault(2, "a"), fault(2, "a"), fault(9, "c")])
    #expect(origin.ranks == [2, 3] && origin.fault?.place == "a")
    #expect(
      origin.text(hosts: ["p", "q", "r", "s", "t"])
        == "it begins on rank 2 on r, rank 3 on s with a")
  }

  @Test("what all have is nobody's, and what nobody has is said")
  func allOrNone() {
    let all = FaultOrigin([fault(2, "a"), fault(2, "a")])
    #expect(all.text(hosts: ["p", "q"]) == "it begins with a, on all ranks")
    #expect(FaultOrigin([fault(2, "a")]).text(hosts: ["p"]) == "it begins with a")
    #expect(FaultOrigin([nil, nil]).text(hosts: ["p", "q"]).hasPrefix("no rank finds it"))
    #expect(FaultOrigin([fault(FaultSearch.orderOfInputs, "x")]).isOfData && !all.isOfData)
  }
}
