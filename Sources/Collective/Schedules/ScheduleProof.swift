/// Runs the schedules of all ranks of a collective symbolically, in one process, and throws unless
///
/// - at the end every element is complete where the collective's goal wants it: each input that
///   belongs there is in there, and none was ever added twice;
/// - transfers carry what they say: an input exactly the sender's own, a result only complete
///   elements, a partial sum at least one input; and both sides say the same;
/// - it ends even if every send is synchronous (completes only once its receive has started);
/// - no rank writes what it is sending, or writes one element twice, in the same round, other than
///   adding up what several peers send for one range, in the order of peers.
///
/// An element's value is the set of ranks whose input it contains. Elements that no transfer tells
/// apart are one interval, so the cost does not depend on the count.
public struct ScheduleProof {
  /// Rounds of the longest schedule.
  public let rounds: Int
  /// Elements that each rank sends.
  public let elementsSent: [Int]

  /// - Parameters:
  ///   - schedules: one per rank, in order.
  ///   - goal: what each rank has at the start, and what must hold at the end.
  /// - Throws: `ScheduleFault`, the first one found.
  public init(_ schedules: [Schedule], goal: Goal = .allreduce) throws(ScheduleFault) {
    try ScheduleProof.checkLocally(schedules)
    var run = SymbolicRun(schedules, goal: goal)
    try run.execute()
    rounds = schedules.map(\.rounds.count).max() ?? 0
    elementsSent = schedules.map(\.elementsSent)
  }

  /// What can be seen in one schedule alone: peers, ranges, and races within a round.
  private static func checkLocally(_ schedules: [Schedule]) throws(ScheduleFault) {
    for (rank, schedule) in schedules.enumerated() {
      guard schedule.rank == rank, schedule.size == schedules.count,
        schedule.count == schedules[0].count
      else { throw .inconsistent(rank: rank) }
      for (number, round) in schedule.rounds.enumerated() {
        var lastSource = 0
        for transfer in round.transfers {
          guard transfer.peer != rank, schedules.indices.contains(transfer.peer),
            transfer.range.lowerBound >= 0, transfer.range.upperBound <= schedule.count,
            !transfer.range.isEmpty
          else { throw .invalid(rank: rank, round: number, transfer: transfer) }
          guard transfer.direction == .receive else { continue }
          guard transfer.peer >= lastSource else { throw .unordered(rank: rank, round: number) }
          lastSource = transfer.peer
        }
        if let (a, b) = round.race { throw .race(rank: rank, round: number, a, b) }
      }
    }
  }
}

extension Round {
  /// Two transfers that may not be under way together: they overlap, at least one writes, and they
  /// are not contributions of the same kind to the same range.
  fileprivate var race: (Transfer, Transfer)? {
    guard transfers.count > 1 else { return nil }
    // Those that reach furthest among the transfers that begin no later.
    var sent: Transfer?
    var reduced: Transfer?
    var replaced: Transfer?
    for transfer in transfers.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
      func isTouched(by other: Transfer) -> Bool {
        transfer.range.lowerBound < other.range.upperBound
      }
      func furthest(_ other: Transfer?) -> Transfer {
        if let other, other.range.upperBound > transfer.range.upperBound { other } else { transfer }
      }
      if let replaced, isTouched(by: replaced) { return (replaced, transfer) }
      if transfer.direction == .send {
        sent = furthest(sent)
      } else if transfer.isReduced {
        if let reduced, isTouched(by: reduced),
          reduced.range != transfer.range || reduced.payload != transfer.payload
        {
          return (reduced, transfer)
        }
        reduced = furthest(reduced)
      } else {
        if let sent, isTouched(by: sent) { return (sent, transfer) }
        if let reduced, isTouched(by: reduced) { return (reduced, transfer) }
        replaced = furthest(replaced)
      }
    }
    return nil
  }
}
