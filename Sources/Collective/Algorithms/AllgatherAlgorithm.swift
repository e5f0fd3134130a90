/// How an allgather moves its data. Rank r begins with chunk r of the buffer that all end with.
public enum AllgatherAlgorithm: String, CaseIterable, Sendable {
  /// p - 1 rounds between neighbours.
  case ring
  /// ceil(log2 p) rounds.
  case circulant
  /// One round of p - 1 messages.
  case direct

  /// The schedules of all ranks, for a buffer of `count` elements on each of `size` ranks.
  public func generator(size: Int, count: Int) -> any ScheduleGenerator {
    precondition(size > 0 && count >= 0)
    switch self {
    case .ring: return RingAllgather(size: size, count: count)
    case .circulant: return CirculantAllgather(size: size, count: count)
    case .direct: return DirectAllgather(size: size, count: count)
    }
  }
}
