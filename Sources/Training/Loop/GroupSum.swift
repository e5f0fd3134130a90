import Collective
import NN

/// A layer's sums over the global batch: added up over the ranks that share it, in the order of the
/// shard tree where the group has one.
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

  func sum(_ plane: UnsafeMutableBufferPointer<Float>, stride: Int) throws {
    let phase = clock.phase
    clock.enter(.communication)
    try group.sumPlanes(plane, stride: stride, method)
    clock.enter(phase)
  }
}
