import Foundation
import TestSupport
import Testing

@testable import Training

private let yaml = """
  data: {format: synthetic, features: 20, classes: 5, train: {samples: 300}, test: {samples: 90}}
  model: [{dense: 17}, relu, {dense: 5}]
  optimizer: {learning-rate: 0.05}
  training: {epochs: 3, batch-size: 64}
  """

@Suite("when a run is saved")
struct CheckpointRecorderTests {
  @Test(
    "every so many steps, after so much time, and at the end",
    arguments: [
      (["checkpoint.every-steps=4"], [4, 8, 12, 15]), (["checkpoint.every-steps=5"], [5, 10, 15]),
      (["checkpoint.every-steps=500"], [15]), (["checkpoint.every-steps=0"], []),
      (["checkpoint.every-steps=0", "checkpoint.every-seconds=1000"], [15]),
    ] as [([String], [Int])])
  func intervals(settings: [String], steps: [Int]) throws {
    let run = try TrainedRun(yaml: yaml, settings: settings + ["checkpoint.keep=9"], ranks: 2)
    #expect(try run.events("checkpoint").map { $0["step"] as! Int } == steps)
    #expect(try CheckpointStore(runDirectory: run.path).steps() == steps)
    for event in try run.events("checkpoint") {
      #expect(event["path"] as? String == run.checkpoint(event["step"] as! Int))
      #expect(event["bytes"] as! Int > 4 * run.summaries[0].parameters)
    }
  }

  @Test("a second's part is time enough for some")
  func seconds() throws {
    let run = try TrainedRun(
      yaml: yaml,
      settings: [
        "checkpoint.every-steps=0", "checkpoint.every-seconds=0.001", "training.epochs=40",
      ], ranks: 1)
    #expect(try run.events("checkpoint").count > 1)
  }

  @Test("a model that is not finite takes no good one's place, and the reader is warned")
  func notFinite() throws {
    let run = try TrainedRun(
      yaml: yaml,
      settings: [
        "checkpoint={every-steps: 2, keep: 1}", "training.max-steps=6",
        "training.divergence={policy: continue}",
      ], ranks: 2, prepare: StepFaults.overflow(ofStep: 3))
    #expect(try CheckpointStore(runDirectory: run.path).steps() == [2])
    let warnings = try run.events("warning").map { $0["message"] as! String }
    #expect(warnings.count { $0.hasPrefix("no checkpoint of step 4: ") } == 1)
    #expect(warnings.contains("the run ends with 0.dense.weight not finite"))
  }

  @Test("the best model's checkpoint stays beside the newest", arguments: ["loss", "accuracy"])
  func best(score: String) throws {
    // It learns to the end, or it would be no test: rates that grow spoil it again.
    let run = try TrainedRun(
      yaml: yaml,
      settings: [
        "checkpoint={every-steps: 1, keep: 1, keep-best: \(score)}", "training.epochs=12",
        "optimizer.schedule={name: step, milestones: [20, 30], gamma: 1}",
        "optimizer.momentum=0.95",
      ], ranks: 2)
    let evaluations = try run.events("evaluation")
    let values = evaluations.map { $0[score] as! Double }
    let best = score == "loss" ? values.min()! : values.max()!
    let step = evaluations[values.firstIndex(of: best)!]["step"] as! Int
    #expect(try CheckpointStore(runDirectory: run.path).steps() == Set([step, 60]).sorted())
  }

  @Test("a score needs what it is of")
  func withoutTest() {
    #expect(
      ConfigurationFixture.faults(adding: "checkpoint: {keep-best: loss}")
        == ["c.yaml:5: checkpoint.keep-best: needs data.test"])
  }

  @Test(
    "what cannot be written is a warning, unless the run is to go on from it",
    arguments: [false, true])
  func unwritable(isInterrupted: Bool) throws {
    let folder = try TemporaryDirectory()
    let file = try folder.file("test.yaml", yaml)
    let path = folder.path + "/run"
    let settings = ["output=\(path)", "checkpoint.every-steps=4", "log.every-steps=1"]
    func train() throws -> [RunSummary] {
      try TrainedRun.train(
        file: file, settings: settings, ranks: 1,
        interruption: { _ in
          Obstacle(path: path + "/checkpoints", isRequested: isInterrupted)
        })
    }
    if isInterrupted {
      let failure = #expect(throws: RankFailure.self) { _ = try train() }
      #expect((failure?.cause as? TensorFileFault)?.kind == .unwritable)
      #expect(failure?.description.hasPrefix("step 1, checkpoint: \(path)/checkpoints") == true)
    } else {
      #expect(try train()[0].steps == 15)
    }
    let events = try TrainedRun.events(in: path)
    // Of steps 4, 8, 12 and 15.
    #expect(events.count { $0["event"] as? String == "warning" } == (isInterrupted ? 0 : 4))
    #expect(events.count { $0["event"] as? String == "step" } == (isInterrupted ? 1 : 15))
  }
}

/// Puts a file where a folder is going to be made.
private struct Obstacle: Interruption {
  var path: String
  var isRequested: Bool

  func begin() { _ = FileManager.default.createFile(atPath: path, contents: nil) }
}
