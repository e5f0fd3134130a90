/// The schedules of all ranks of one collective, a round at a time: pricing thousands of ranks must
/// not hold them all.
public protocol ScheduleGenerator: Sendable {
  /// Ranks.
  var size: Int { get }
  /// Elements of the buffer.
  var count: Int { get }
  /// Rounds of the longest schedule, in closed form.
  var roundCount: Int { get }
  /// What `rank` does in round `number`, 0..<roundCount; possibly nothing.
  /// - Complexity: O(the round's transfers + log p), whatever the number of rounds.
  func round(_ number: Int, of rank: Int) -> Round
  /// Elements that `rank` sends in all, in closed form.
  func elementsSent(by rank: Int) -> Int
}

extension ScheduleGenerator {
  /// All rounds of `rank`.
  public func schedule(of rank: Int) -> Schedule {
    precondition((0..<size).contains(rank))
    return Schedule(
      rank: rank, size: size, count: count,
      rounds: (0..<roundCount).map { round($0, of: rank) })
  }
}
