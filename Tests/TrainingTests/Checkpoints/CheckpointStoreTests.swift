import Foundation
import TestSupport
import Testing

@testable import Training

@Suite("a run's checkpoints")
struct CheckpointStoreTests {
  private let folder: TemporaryDirectory
  private var store: CheckpointStore

  init() throws {
    folder = try TemporaryDirectory()
    store = CheckpointStore(runDirectory: folder.path)
    try store.prepare()
  }

  private func save(
    _ step: Int, score: Double? = nil, in store: inout CheckpointStore
  ) throws -> CheckpointReceipt {
    try store.save(CheckpointFixture(seed: step).checkpoint(step: step), score: score)
  }

  private func damage(_ step: Int) throws {
    let path = store.path(step: step)
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    bytes[bytes.count / 2] ^= 4
    try bytes.write(to: URL(fileURLWithPath: path))
  }

  @Test("have names in which steps are in order, and receipts")
  func names() throws {
    var store = store
    let receipt = try save(500, in: &store)
    let path = "\(folder.path)/checkpoints/step-00000500.safetensors"
    let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
    #expect(receipt == CheckpointReceipt(step: 500, path: path, bytes: size ?? 0))
    #expect(CheckpointStore.name(step: 1_234_567_890) == "step-1234567890.safetensors")
    // Names that are not quite those of checkpoints.
    for name in [
      "step-0000500.safetensors", "step-00000600.safetensors.1", "step--0000001.safetensors",
    ] {
      _ = try folder.file("checkpoints/\(name)", "")
    }
    #expect(try store.steps() == [500])
    #expect(try CheckpointStore(runDirectory: "/none").steps() == [])
  }

  @Test("are kept, the last three and the best")
  func kept() throws {
    var store = store
    var left: [[Int]] = []
    let scores = [9, 5, 7, nil, .nan, 6, 4, 8, -.infinity, 5] as [Double?]
    for (number, score) in scores.enumerated() {
      _ = try save(number + 1, score: score, in: &store)
      left.append(try store.steps())
    }
    #expect(
      left == [
        [1], [1, 2], [1, 2, 3], [2, 3, 4], [2, 3, 4, 5], [2, 4, 5, 6], [5, 6, 7], [6, 7, 8],
        [7, 8, 9], [7, 8, 9, 10],
      ])
    #expect(store.best == CheckpointRecord.Best(step: 7, score: 4))
    // The best one is known again when the run goes on.
    var resumed = CheckpointStore(runDirectory: folder.path)
    #expect(try resumed.newestGood { Issue.record("\($0)") }?.record.best == store.best)
    for step in 11...14 { _ = try save(step, score: 4, in: &resumed) }
    #expect(try resumed.steps() == [7, 12, 13, 14])
  }

  @Test("stay while fewer newer ones than are kept are known to be good")
  func unverified() throws {
    var first = store
    for step in 1...3 { _ = try save(step, in: &first) }
    try damage(3)
    // Of what is there, another process knows nothing.
    var second = CheckpointStore(runDirectory: folder.path, keep: 2)
    _ = try save(4, in: &second)
    #expect(try second.steps() == [1, 2, 3, 4])
    _ = try save(5, in: &second)
    #expect(try second.steps() == [4, 5])
  }

  @Test("are resumed from the newest good one, with a warning for each that is not")
  func fallback() throws {
    var store = store
    for step in 1...3 { _ = try save(step, in: &store) }
    try damage(3)
    try Data().write(to: URL(fileURLWithPath: store.path(step: 2)))
    try FileManager.default.createDirectory(
      atPath: store.path(step: 4), withIntermediateDirectories: false)
    var warnings: [String] = []
    var resumed = CheckpointStore(runDirectory: folder.path)
    let checkpoint = try #require(try resumed.newestGood { warnings.append($0) })
    #expect(checkpoint.record.step == 1)
    #expect(warnings.count == 3)
    for (warning, step) in zip(warnings, [4, 3, 2]) {
      #expect(warning.hasPrefix(store.path(step: step) + ": "))
      #expect(warning.hasSuffix("; trying the checkpoint before it"))
    }
    // The others are of no use to a run that goes on from the first, and are not deleted.
    try resumed.setAside(after: 1)
    #expect(try resumed.steps() == [1])
    #expect(FileManager.default.fileExists(atPath: store.path(step: 3) + ".1"))
    _ = try save(3, in: &resumed)
    try resumed.setAside(after: 1)
    #expect(FileManager.default.fileExists(atPath: store.path(step: 3) + ".2"))
    #expect(try resumed.newestGood { Issue.record("\($0)") }?.record.step == 1)
  }

  @Test("are not what another step's file, put in their place, says that they are")
  func anotherStep() throws {
    var store = store
    for step in 1...2 { _ = try save(step, in: &store) }
    try FileManager.default.removeItem(atPath: store.path(step: 2))
    try FileManager.default.copyItem(atPath: store.path(step: 1), toPath: store.path(step: 2))
    var warnings: [String] = []
    var resumed = CheckpointStore(runDirectory: folder.path)
    #expect(try resumed.newestGood { warnings.append($0) }?.record.step == 1)
    #expect(warnings.count == 1 && warnings[0].contains("it holds step 1"))
  }

  @Test("are none, which is no fault, or none that is good, which is one")
  func none() throws {
    var store = store
    #expect(try store.newestGood { Issue.record("\($0)") } == nil)
    _ = try save(1, in: &store)
    try damage(1)
    let fault = #expect(throws: TensorFileFault.self) { _ = try store.newestGood { _ in } }
    #expect(fault?.exitCode == ExitStatus.badData)
    #expect(fault?.description.contains("none of the 1 checkpoints is good") == true)
  }

  @Test("are as they were when a newer one cannot be written")
  func failedWrite() throws {
    var good = CheckpointStore(runDirectory: folder.path, keep: 1)
    _ = try save(1, score: 1, in: &good)
    var calls = FileCalls()
    calls.sync = { _ in
      errno = EIO
      return -1
    }
    var failing = CheckpointStore(
      runDirectory: folder.path, keep: 1, files: DurableFile(calls: calls))
    _ = try failing.newestGood { Issue.record("\($0)") }
    #expect(throws: TensorFileFault.self) { _ = try save(2, score: 0, in: &failing) }
    #expect(failing.best?.step == 1)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: store.folder) == [
        CheckpointStore.name(step: 1)
      ])
    #expect(try good.newestGood { Issue.record("\($0)") }?.record.step == 1)
  }

  @Test("are in a folder that can be made, or it is said why not")
  func folderFault() throws {
    let file = try folder.file("file", "")
    let fault = #expect(throws: TensorFileFault.self) {
      try CheckpointStore(runDirectory: file).prepare()
    }
    #expect(fault?.exitCode == ExitStatus.cannotWrite)
  }
}
