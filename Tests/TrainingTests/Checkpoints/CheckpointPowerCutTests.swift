import Foundation
import TestSupport
import Testing

@testable import Training

@Suite("what a power cut leaves of a run's checkpoints, on a disk that loses all that it may")
struct CheckpointPowerCutTests {
  private struct Outcome {
    var states = 0
    var lost = 0
    var newer = 0
    var damaged = 0
  }

  /// Saves checkpoints of six steps, cuts the power at every moment in every way, and resumes.
  private func outcome(syncs: Bool) throws -> Outcome {
    let folder = try TemporaryDirectory()
    let disk = LossyDisk(syncs: syncs)
    var store = CheckpointStore(
      runDirectory: folder.path, keep: 2, files: DurableFile(calls: disk.calls))
    try store.prepare()
    for step in 1...6 {
      let checkpoint = CheckpointFixture(seed: step).checkpoint(step: step)
      _ = try store.save(checkpoint, score: step == 2 ? 0.5 : 1)
      disk.acknowledge(step: step)
    }
    var outcome = Outcome()
    try LossyDisk.cutPower(disk.events) { remains in
      let run = try TemporaryDirectory()
      let checkpoints = run.path + "/checkpoints"
      try FileManager.default.createDirectory(
        atPath: checkpoints, withIntermediateDirectories: false)
      for (name, bytes) in remains.files { _ = try run.file("checkpoints/\(name)", bytes) }
      var store = CheckpointStore(runDirectory: run.path)
      let found: Checkpoint?
      do {
        found = try store.newestGood { _ in outcome.damaged += 1 }
      } catch let fault as TensorFileFault {
        #expect(fault.kind == .damaged)
        found = nil
      }
      outcome.states += 1
      guard let found else {
        if remains.acknowledged > 0 { outcome.lost += 1 }
        return
      }
      let step = found.record.step
      if step < remains.acknowledged { outcome.lost += 1 }
      if step > remains.acknowledged { outcome.newer += 1 }
      let whole = CheckpointFixture(seed: step).checkpoint(step: step)
      #expect(Array(found.image.bytes) == Array(whole.image.bytes))
    }
    return outcome
  }

  @Test("is never less than what was acknowledged")
  func nothingLost() throws {
    let outcome = try outcome(syncs: true)
    #expect(outcome.lost == 0)
    // Some cuts come between a checkpoint's durability and its acknowledgement.
    #expect(outcome.newer > 0)
    #expect(outcome.states > 60)
  }

  @Test("is less if nothing is synced: the disk does lose things")
  func withoutSync() throws {
    let outcome = try outcome(syncs: false)
    #expect(outcome.lost > 100)
    #expect(outcome.damaged > 100)
  }
}
