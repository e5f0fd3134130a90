import Collective
import NN
import Testing

@testable import Training

/// Small, with a short last batch (300 = 4 x 64 + 44) and a test set.
private let classification = """
  data: {format: synthetic, features: 20, classes: 5, train: {samples: 300}, test: {samples: 90}}
  model: [{dense: 17}, relu, {dense: 5}]
  training: {epochs: 2, batch-size: 64}
  log: {every-steps: 1}
  """

/// Settings under which every optimizer has all its states, and learns.
private func settings(_ name: String) -> [String] {
  let kind = OptimizerSpecification.kind(name)!
  let more = ["weight-decay": "0.001", "momentum": "0.9", "centered": "true", "nesterov": "true"]
  return ["optimizer.name=\(name)"]
    + kind.settings.compactMap { setting in
      more[setting.name].map { "optimizer.\(setting.name)=\($0)" }
    }
}

@Test(
  "every optimizer learns, to the same parameters on 1, 2 and 3 ranks, bit for bit",
  arguments: OptimizerSpecification.kinds.map { $0.name })
func optimizerRanks(name: String) throws {
  let runs = try [1, 2, 3].map {
    try TrainedRun(yaml: classification, settings: settings(name), ranks: $0)
  }
  #expect(Set(runs.flatMap { $0.summaries.map(\.parameterSha256) }).count == 1)
  let losses = try runs.map { try $0.stepLosses() }
  #expect(losses[1] == losses[0] && losses[2] == losses[0])
  #expect(losses[0].count == 10 && losses[0].last! < losses[0].first!)
}

@Test(
  "clipping, L1 and schedules keep the bits on any number of ranks, and do something",
  arguments: [
    ["optimizer.clip-norm=0.1"], ["optimizer.clip-value=0.01"], ["optimizer.l1=0.01"],
    ["optimizer.schedule={name: step, milestones: [2, 5], gamma: 0.5}"],
  ])
func regularizedRanks(settings: [String]) throws {
  let plain = try TrainedRun(yaml: classification, ranks: 1)
  let runs = try [1, 2, 3, 4].map {
    try TrainedRun(yaml: classification, settings: settings, ranks: $0)
  }
  #expect(Set(runs.flatMap { $0.summaries.map(\.parameterSha256) }).count == 1)
  #expect(runs[0].summaries[0].parameterSha256 != plain.summaries[0].parameterSha256)
}

@Test(
  "passes do not show in the bits, on any number of ranks",
  arguments: [(1, 2), (1, 4), (1, 8), (2, 2), (2, 4), (4, 2), (3, 2), (3, 4), (5, 2), (7, 2)])
func accumulation(ranks: Int, passes: Int) throws {
  // Enough for all of these.
  let shards = "training.shards=16"
  let plain = try TrainedRun(yaml: classification, settings: [shards], ranks: 1)
  let run = try TrainedRun(
    yaml: classification, settings: [shards, "training.accumulate=\(passes)"], ranks: ranks)
  for summary in run.summaries {
    #expect(summary.parameterSha256 == plain.summaries[0].parameterSha256)
    #expect(summary.testLoss == plain.summaries[0].testLoss)
    #expect(summary.testAccuracy == plain.summaries[0].testAccuracy)
  }
  #expect(try run.stepLosses() == plain.stepLosses())
}

@Test("passes without rows add nothing", arguments: [1, 2, 3])
func emptyPasses(ranks: Int) throws {
  // The last batch has 3 samples for 16 shards.
  let samples = "data.train.samples=259"
  let shards = "training.shards=16"
  let plain = try TrainedRun(yaml: classification, settings: [samples, shards], ranks: 1)
  let run = try TrainedRun(
    yaml: classification, settings: [samples, shards, "training.accumulate=4"], ranks: ranks)
  #expect(run.summaries[0].parameterSha256 == plain.summaries[0].parameterSha256)
  #expect(try run.stepLosses() == plain.stepLosses())
}

@Test("activations have room for the rows of one pass", arguments: [1, 2], [1, 2, 4])
func activationMemory(ranks: Int, passes: Int) throws {
  let rows = try LoopbackTransport.run(ranks: ranks) { transport -> Int in
    let world = try World(transport, host: "test", carrier: "loopback")
    let configuration = try TrainingConfiguration(
      yaml: classification, name: "c.yaml", settings: ["training.accumulate=\(passes)"])
    let plan = try TrainingPlan(configuration, world: world, environment: [:])
    return try Trainer(plan, world: world).network.maximumRows
  }
  #expect(rows == Array(repeating: 64 / ranks / passes, count: ranks))
}

@Test(
  "passes agree to rounding where there is no tree", arguments: [2, 3])
func looseAccumulation(ranks: Int) throws {
  let plain = try TrainedRun(yaml: classification, ranks: 1)
  let run = try TrainedRun(
    yaml: classification,
    settings: [
      "training.accumulate=2", "training.reproducible=false",
    ], ranks: ranks)
  #expect(run.areReplicasEqual)
  for (a, b) in zip(try run.stepLosses(), try plain.stepLosses()) { #expect(abs(a - b) < 1e-4 * b) }
}

@Test("more passes than shards are refused, with what to do")
func tooManyPasses() throws {
  let failure = #expect(throws: JointFailure.self) {
    _ = try TrainedRun(yaml: classification, settings: ["training.accumulate=4"], ranks: 4)
  }
  #expect(failure?.exitCode == ExitStatus.usage)
  #expect(
    failure?.description
      == "training.accumulate: 4 passes on each of 4 ranks need 16 shards, and training.shards is 8: "
      + "raise it to a power of two of at least 16, or lower training.accumulate")
}
