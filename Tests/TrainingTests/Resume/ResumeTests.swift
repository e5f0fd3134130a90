import Foundation
import Kernels
import NN
import TestSupport
import Testing

@testable import Training

/// Small, with a short last batch (300 = 4 x 64 + 44) and a test set.
private let plain = """
  data: {format: synthetic, features: 20, classes: 5, train: {samples: 300}, test: {samples: 90}}
  model: [{dense: 17}, relu, {dense: 5}]
  training: {epochs: 3, batch-size: 64}
  checkpoint: {every-steps: 1, keep: 100}
  log: {every-steps: 1}
  """

/// Sums over the batch, random numbers, state and blocks.
private let layers =
  "model=[batch-norm, {dense: 17}, {residual: [{dense: 17}, batch-norm, relu, {dropout: 0.3}]}, "
  + "{dense: 5}]"

/// Settings under which an optimizer has all its states.
private func optimizer(_ name: String) -> [String] {
  let kind = OptimizerSpecification.kind(name)!
  let more = ["weight-decay": "0.001", "momentum": "0.9", "centered": "true", "nesterov": "true"]
  return ["optimizer.name=\(name)"]
    + kind.settings.compactMap { setting in
      more[setting.name].map { "optimizer.\(setting.name)=\($0)" }
    }
}

/// What a configuration is made of beside its optimizer.
private let variants: [String: [String]] = [
  "plain": [],
  "normalized": [layers],
  "passes": ["training.accumulate=2"],
  "in file order": ["training.shuffle=false", "training.seed=9"],
  "tiny last batch": ["data.train.samples=257"],
  "scheduled": [
    "optimizer.schedule={name: cosine, warmup-steps: 4}", "optimizer.clip-norm=0.5",
    "optimizer.l1=0.001",
  ],
  "no test set": ["data={format: synthetic, features: 20, classes: 5, train: {samples: 300}}"],
  "stops in an epoch": ["training.max-steps=13"],
]

@Suite("a run that goes on from a checkpoint")
struct ResumeTests {
  /// What must not depend on whether a run stopped and went on.
  private func expectSameEnd(_ run: TrainedRun, _ whole: TrainedRun, after step: Int) throws {
    for summary in run.summaries {
      let reference = whole.summaries[0]
      #expect(summary.parameterSha256 == reference.parameterSha256)
      #expect(summary.replicasEqual)
      #expect(summary.trainLoss == reference.trainLoss)
      #expect(summary.testLoss == reference.testLoss)
      #expect(summary.testAccuracy == reference.testAccuracy)
      #expect((summary.steps, summary.epochs) == (reference.steps, reference.epochs))
    }
    func numbers(_ run: TrainedRun, _ kind: String, from first: Int) throws -> [[String]] {
      try run.events(kind).filter { $0["step"] as! Int >= first }.map { event in
        ["step", "epoch", "samples", "loss", "learning-rate", "accuracy"].map {
          event[$0].map { "\($0)" } ?? ""
        }
      }
    }
    for (kind, first) in [("step", step + 1), ("evaluation", step)] {
      #expect(try numbers(run, kind, from: first) == numbers(whole, kind, from: first))
      #expect(try numbers(run, kind, from: first).count == run.events(kind).count)
    }
  }

  @Test(
    "ends as the run that never stopped, wherever it goes on and on any number of ranks",
    arguments: OptimizerSpecification.kinds.map { $0.name }, ["plain", "normalized"])
  func everyOptimizer(name: String, variant: String) throws {
    try expectResumable(
      optimizer(name) + variants[variant]!, seed: name.utf8.reduce(7) { $0 + Int($1) })
  }

  @Test(
    "keeps passes, orders, short batches, schedules and limits", arguments: variants.keys.sorted())
  func everyVariant(variant: String) throws {
    try expectResumable(optimizer("adam") + variants[variant]!, seed: variant.utf8.count)
  }

  /// Runs once with a checkpoint of every step, then goes on from some of them.
  private func expectResumable(_ settings: [String], seed: Int) throws {
    let whole = try TrainedRun(yaml: plain, settings: settings, ranks: 2)
    let steps = whole.summaries[0].steps
    // An epoch's end, the run's end, and somewhere.
    for (number, step) in [5, steps, 1 + seed % steps].enumerated() {
      let run = try TrainedRun(
        yaml: plain, settings: settings, ranks: [4, 1, 2][(number + seed) % 3],
        resume: .path(whole.checkpoint(step)))
      try expectSameEnd(run, whole, after: step)
    }
  }

  @Test("goes on with all that a run directory has, each step once")
  func sameDirectory() throws {
    let folder = try TemporaryDirectory()
    let file = try folder.file("test.yaml", plain)
    let path = folder.path + "/run"
    let settings = ["output=\(path)", "checkpoint.every-steps=4", "checkpoint.keep=9"]
    let whole = try TrainedRun(yaml: plain, ranks: 1)
    _ = try TrainedRun.train(
      file: file, settings: settings + ["training.max-steps=10"], ranks: 2)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: path + "/checkpoints").sorted()
        == [4, 8, 10].map { CheckpointStore.name(step: $0) })
    // A crash while step 9 was written down, before its checkpoint was.
    try FileManager.default.removeItem(
      atPath: CheckpointStore(runDirectory: path).path(step: 10))
    let metrics = path + "/metrics.jsonl"
    let text = try String(contentsOfFile: metrics, encoding: .utf8)
    let torn = try #require(text.range(of: #""event":"step""#, options: .backwards))
    try text[..<torn.upperBound].write(toFile: metrics, atomically: true, encoding: .utf8)
    let summaries = try TrainedRun.train(
      file: file, settings: settings, ranks: 4, resume: .automatic)
    #expect(summaries[3].parameterSha256 == whole.summaries[0].parameterSha256)
    let events = try TrainedRun.events(in: path)
    func steps(_ kind: String) -> [Int] {
      events.filter { $0["event"] as? String == kind }.map { $0["step"] as? Int ?? -1 }
    }
    #expect(steps("step") == Array(1...15))
    #expect(steps("evaluation") == [5, 10, 15])
    // That the checkpoint of step 8 is durable may have been seen after step 9.
    #expect(steps("checkpoint").filter { $0 != 8 } == [4, 12, 15])
    #expect(steps("start") == [-1, 8])
    #expect(steps("end") == [15])
    let losses = events.filter { $0["event"] as? String == "step" }.map { $0["loss"] as! Double }
    #expect(losses == (try whole.stepLosses()))
    #expect(!FileManager.default.fileExists(atPath: path + ".1"))
  }

  @Test("from an earlier checkpoint takes the later ones out of the way")
  func earlierCheckpoint() throws {
    let folder = try TemporaryDirectory()
    let file = try folder.file("test.yaml", plain)
    let path = folder.path + "/run"
    let settings = ["output=\(path)", "checkpoint.every-steps=5"]
    let whole = try TrainedRun.train(file: file, settings: settings, ranks: 1)
    let store = CheckpointStore(runDirectory: path)
    let again = try TrainedRun.train(
      file: file, settings: settings, ranks: 2, resume: .path(store.path(step: 5)))
    #expect(again[0].parameterSha256 == whole[0].parameterSha256)
    #expect(FileManager.default.fileExists(atPath: store.path(step: 15) + ".1"))
    #expect(try store.steps() == [5, 10, 15])
  }

  @Test("falls back to the checkpoint before a damaged one, and says so")
  func damaged() throws {
    let folder = try TemporaryDirectory()
    let file = try folder.file("test.yaml", plain)
    let path = folder.path + "/run"
    let settings = ["output=\(path)", "checkpoint.every-steps=6"]
    let whole = try TrainedRun.train(file: file, settings: settings, ranks: 1)
    let newest = CheckpointStore(runDirectory: path).path(step: 15)
    var bytes = try Data(contentsOf: URL(fileURLWithPath: newest))
    bytes[bytes.count - 9] ^= 1
    try bytes.write(to: URL(fileURLWithPath: newest))
    let again = try TrainedRun.train(
      file: file, settings: settings, ranks: 2, resume: .automatic)
    #expect(again[0].parameterSha256 == whole[0].parameterSha256)
    let events = try TrainedRun.events(in: path)
    let warnings = events.filter { $0["event"] as? String == "warning" }
    #expect(warnings.count == 1)
    #expect((warnings[0]["message"] as! String).hasPrefix(newest), "\(warnings)")
    #expect(events.last { $0["event"] as? String == "start" }?["step"] as? Int == 12)
  }

  @Test("begins anew where there is nothing to go on from, unless it was named")
  func nothingThere() throws {
    let run = try TrainedRun(yaml: plain, ranks: 2, resume: .automatic)
    #expect(run.summaries[0].steps == 15)
    for (path, code) in [
      ("/no/such/file", ExitStatus.missingInput), (NSTemporaryDirectory(), ExitStatus.missingInput),
      (run.path + "/model.safetensors", ExitStatus.badData),
      (run.path + "/config.yaml", ExitStatus.badData),
    ] {
      let failure = #expect(throws: JointFailure.self) {
        _ = try TrainedRun(yaml: plain, ranks: 2, resume: .path(path))
      }
      #expect(failure?.exitCode == code, "\(failure.map { "\($0)" } ?? "")")
    }
  }

  @Test("goes on with the kernels that it began with, or says that bits will differ")
  func kernels() throws {
    let folder = try TemporaryDirectory()
    let file = try folder.file("test.yaml", plain)
    let settings = ["output=\(folder.path)/run"]
    let old = ["LOCKSTEP_KERNELS": "baseline"]
    let whole = try TrainedRun.train(
      file: file, settings: settings, ranks: 1, environment: old)
    let checkpoint = CheckpointStore(runDirectory: folder.path + "/run").path(step: 7)
    let newest = InstructionSet.supported.last!.rawValue
    let asked = newest == "baseline" ? [] : [("asked", ["LOCKSTEP_KERNELS": newest])]
    for (name, environment) in [("kept", [:])] + asked {
      let path = "\(folder.path)/\(name)"
      let run = try TrainedRun.train(
        file: file, settings: ["output=\(path)"], ranks: 2, environment: environment,
        resume: .path(checkpoint))
      let warnings = try TrainedRun.events(in: path).filter { $0["event"] as? String == "warning" }
      #expect(warnings.count == (name == "kept" ? 0 : 1))
      #expect(run[0].kernels == (name == "kept" ? "baseline" : newest))
      if name == "kept" { #expect(run[0].parameterSha256 == whole[0].parameterSha256) }
    }
  }
}
