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
  "every optimizer learns, to the same parameters on 1, 2 and 4 ranks, bit for bit",
  arguments: OptimizerSpecification.kinds.map { $0.name })
func optimizerRanks(name: String) throws {
  let runs = try [1, 2, 4].map {
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
  let runs = try [1, 2, 4].map {
    try TrainedRun(yaml: classification, settings: settings, ranks: $0)
  }
  #expect(Set(runs.flatMap { $0.summaries.map(\.parameterSha256) }).count == 1)
  #expect(runs[0].summaries[0].parameterSha256 != plain.summaries[0].parameterSha256)
}
