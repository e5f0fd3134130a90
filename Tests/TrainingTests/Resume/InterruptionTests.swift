import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Training

private let yaml = """
  data: {format: synthetic, features: 20, classes: 5, train: {samples: 300}, test: {samples: 150}}
  model: [{dense: 17}, relu, {dense: 5}]
  optimizer: {name: adam, schedule: {name: cosine}}
  training: {epochs: 2, batch-size: 64}
  checkpoint: {every-steps: 0}
  log: {every-steps: 1}
  """

/// Asks to stop when it has been looked at a number of times.
private final class Countdown: Interruption {
  private let looks: Int
  private let count = Atomic(0)

  init(looks: Int) { self.looks = looks }

  func begin() {}
  var isRequested: Bool { count.add(1, ordering: .relaxed).newValue >= looks }
}

@Suite("a run that is asked to stop")
struct InterruptionTests {
  /// 10 steps, and two evaluations of 3 batches, with a look before and after each batch and at the
  /// end.
  @Test(
    "one rank's wish stops all after the same step, and the run goes on as if it had not",
    arguments: Array(1...20))
  func oneRank(looks: Int) throws {
    let whole = try TrainedRun(yaml: yaml, ranks: 1)
    let folder = try TemporaryDirectory()
    let file = try folder.file("test.yaml", yaml)
    let settings = ["output=\(folder.path)/run", "collective.tuning=rules"]
    let failure = #expect(throws: JointFailure.self) {
      _ = try TrainedRun.train(file: file, settings: settings, ranks: 4) { rank in
        Countdown(looks: rank == looks % 4 ? looks : .max)
      }
    }
    #expect(failure?.exitCode == ExitStatus.interrupted)
    let text = try String(contentsOfFile: folder.path + "/run/summary.json", encoding: .utf8)
    #expect(text.contains(#""status" : "interrupted""#))
    let events = try TrainedRun.events(in: folder.path + "/run")
    #expect(events.contains { $0["event"] as? String == "checkpoint" })
    #expect(events.last?["status"] as? String == "interrupted")

    let summaries = try TrainedRun.train(
      file: file, settings: settings, ranks: 2, resume: .automatic)
    #expect(summaries[1].parameterSha256 == whole.summaries[0].parameterSha256)
    #expect(summaries[0].testLoss == whole.summaries[0].testLoss)
    #expect(summaries[0].trainLoss == whole.summaries[0].trainLoss)
    let steps = try TrainedRun.events(in: folder.path + "/run")
      .filter { $0["event"] as? String == "step" }
    #expect(steps.map { $0["step"] as! Int } == Array(1...10))
    #expect(steps.map { $0["loss"] as! Double } == (try whole.stepLosses()))
  }

  @Test("without checkpoints a run leaves none that was not asked for")
  func none() throws {
    let run = try TrainedRun(yaml: yaml, ranks: 1)
    #expect(!FileManager.default.fileExists(atPath: run.path + "/checkpoints"))
  }
}
