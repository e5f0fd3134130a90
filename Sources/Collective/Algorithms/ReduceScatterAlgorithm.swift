/// How a reduce-scatter moves its data. Rank r ends with chunk r; the rest of its buffer is
/// undefined.
public enum ReduceScatterAlgorithm: String, CaseIterable, Sendable {
  /// p - 1 rounds between neighbours.
  case ring
  /// ceil(log2 p) rounds.
  case circulant
  /// One round of p - 1 messages; the sum follows the canonical tree for any number of ranks.
  case direct

  /// The schedules of all ranks, for a buffer of `count` elements on each of `size` ranks.
  public func generator(size: Int, count: Int) -> any ScheduleGenerator {
    precondition(size > 0 && count >= 0)
    switch self {
    case .ring: return RingReduceScatter(size: size, count: count)
    case .circulant: return CirculantReduceScatter(size: size, count: count)
    case .direct: return DirectReduceScatter(size: size, count: count)
    }
  }
}
