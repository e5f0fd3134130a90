import Collective
import NN

/// A layer's sums over the global batch: an allreduce over the ranks that share it, in the order of
/// the shard tree where the group's sums are canonical.
final class GroupSum: BatchSum {
  private let group: ProcessGroup
  private let method: AllreduceMethod?
  private let clock: PhaseClock

  /// - Parameters:
  ///   - method: nil to let the group choose for each size.
  ///   - clock: sums count as communication.
  init(_ group: ProcessGroup, method: AllreduceMethod?, clock: PhaseClock) {
    self.group = group
    self.method = method
    self.clock = clock
  }

  func sum(_ values: UnsafeMutableBufferPointer<Float>) throws {
    let phase = clock.phase
    clock.enter(.communication)
    try group.allreduce(values, .sum, method)
    clock.enter(phase)
  }
}
