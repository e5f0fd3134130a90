import Foundation
import NN
import Training

extension CheckpointCases {
  /// Times the parts of a checkpoint, five times each: what training waits for, and what happens
  /// behind it.
  static func time(in run: String, count: Int) throws {
    let state = State(count: count)
    state.fill(step: 1)
    let writer = try CheckpointWriter(
      CheckpointStore(runDirectory: run, keep: 1), groups: state.groups)
    let clock = ContinuousClock()
    var copies: [Double] = []
    var writes: [Double] = []
    var checks: [Double] = []
    for step in 1...5 {
      let start = clock.now
      _ = try writer.save(State.record(step: step), whenBusy: .wait)
      let copied = clock.now
      let receipts = try writer.finish()
      let written = clock.now
      _ = try Checkpoint(contentsOf: receipts[0].path)
      copies.append((copied - start).seconds)
      writes.append((written - copied).seconds)
      checks.append((clock.now - written).seconds)
    }
    let bytes = Double(count * MemoryLayout<Float>.size)
    for (name, times) in [("copy", copies), ("hash, write, sync", writes), ("read", checks)] {
      let sorted = times.sorted()
      print(
        String(
          format: "%@: min %.2f ms, median %.2f ms, %.2f GB/s", name, 1e3 * sorted[0],
          1e3 * sorted[2], bytes / sorted[2] / 1e9))
    }
  }
}

extension Duration {
  fileprivate var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
