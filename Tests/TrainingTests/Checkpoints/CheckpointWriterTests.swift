import Foundation
import TestSupport
import Testing

@testable import Training

@Suite("the thread that writes checkpoints")
struct CheckpointWriterTests {
  private let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory() }

  private func writer(
    _ fixture: CheckpointFixture, calls: FileCalls = FileCalls()
  ) throws -> CheckpointWriter {
    try CheckpointWriter(
      CheckpointStore(runDirectory: folder.path, keep: 3, files: DurableFile(calls: calls)),
      groups: fixture.groups)
  }

  @Test("writes what the tensors were when it was told, whatever becomes of them")
  func snapshot() throws {
    let fixture = CheckpointFixture()
    let writer = try writer(fixture)
    for step in 1...3 {
      fixture.fill(seed: step)
      #expect(try writer.save(fixture.record(step: step), whenBusy: .wait))
      fixture.fill(seed: 99)
    }
    #expect(try writer.finish().map(\.step) == [1, 2, 3])
    #expect(try writer.collect() == [])
    for step in 1...3 {
      let path = "\(folder.path)/checkpoints/\(CheckpointStore.name(step: step))"
      let found = try Checkpoint(contentsOf: path)
      let expected = CheckpointFixture(seed: step).checkpoint(step: step)
      #expect(found.record == expected.record)
      #expect(Array(found.image.bytes) == Array(expected.image.bytes))
    }
  }

  @Test("skips a checkpoint while it is busy, or makes it wait")
  func busy() throws {
    let gate = DispatchSemaphore(value: 0)
    let isClosed = Flag()
    var calls = FileCalls()
    calls.sync = { descriptor in
      if isClosed.value { gate.wait() }
      return fsync(descriptor)
    }
    let fixture = CheckpointFixture()
    let writer = try writer(fixture, calls: calls)
    isClosed.value = true
    #expect(try writer.save(fixture.record(step: 1), whenBusy: .skip))
    // The first sync has not been passed: the writer is busy, and nothing is acknowledged.
    #expect(try !writer.save(fixture.record(step: 2), whenBusy: .skip))
    #expect(try writer.collect() == [])
    isClosed.value = false
    gate.signal()
    #expect(try writer.save(fixture.record(step: 3), whenBusy: .wait))
    #expect(try writer.finish().map(\.step) == [1, 3])
  }

  @Test("says what went wrong at the next call, once, and goes on")
  func failure() throws {
    var calls = FileCalls()
    calls.open = { path, flags in
      guard path.contains("step-00000002") || path.contains("step-00000004") else {
        return FileCalls().open(path, flags)
      }
      errno = ENOSPC
      return -1
    }
    let fixture = CheckpointFixture()
    let writer = try writer(fixture, calls: calls)
    #expect(try writer.save(fixture.record(step: 1), whenBusy: .wait))
    #expect(try writer.save(fixture.record(step: 2), whenBusy: .wait))
    let fault = #expect(throws: TensorFileFault.self) {
      _ = try writer.save(fixture.record(step: 3), whenBusy: .wait)
    }
    #expect(fault?.description.contains("step-00000002") == true)
    #expect(try writer.collect().map(\.step) == [1])
    #expect(try writer.save(fixture.record(step: 4), whenBusy: .wait))
    #expect(throws: TensorFileFault.self) { _ = try writer.finish() }
    #expect(try writer.save(fixture.record(step: 5), whenBusy: .wait))
    #expect(try writer.finish().map(\.step) == [5])
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.path + "/checkpoints").sorted()
        == [1, 5].map { CheckpointStore.name(step: $0) })
  }

  /// A switch that two threads see.
  private final class Flag: @unchecked Sendable {
    private let lock = NSLock()
    private var isSet = false

    var value: Bool {
      get { lock.withLock { isSet } }
      set { lock.withLock { isSet = newValue } }
    }
  }
}
