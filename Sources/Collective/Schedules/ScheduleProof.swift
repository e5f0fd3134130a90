/// Runs the schedules of all ranks of a collective symbolically, in one process, and throws unless
///
/// - at the end every element is complete where the collective's goal wants it: each input that
///   belongs there is in there, and none was ever added twice;
/// - transfers carry what they say: an input exactly the sender's own, a result only complete
///   elements, a partial sum at least one input; and both sides say the same;
/// - it ends even if every send is synchronous (completes only once its receive has started);
/// - no rank writes what it is sending, or writes one element twice, in the same round, other than
///   adding up what several peers send for one range, in the order of peers;
/// - every sum along a `SumTree`, if there is one, is that of a complete subtree.
///
/// An element's value is the set of ranks whose input it contains; along a tree, of the terms that
/// ranks have in their planes. Elements that no transfer tells apart are one interval, so the cost
/// does not depend on the count.
public struct ScheduleProof {
  /// Rounds of the longest schedule.
  public let rounds: Int
  /// Elements that each rank sends.
  public let elementsSent: [Int]

  /// - Parameters:
  ///   - schedules: one per rank, in order.
  ///   - goal: what each rank has at the start, and what must hold at the end.
  ///   - tree: the one along which an allreduce has to add.
  /// - Throws: `ScheduleFault`, the first one found.
  public init(
    _ schedules: [Schedule], goal: Goal = .allreduce, along tree: SumTree? = nil
  ) throws(ScheduleFault) {
    precondition(tree == nil || tree!.ranks == schedules.count && goal == .allreduce)
    try ScheduleProof.checkLocally(schedules, planes: tree?.subtrees.map(\.count))
    var run = SymbolicRun(schedules, goal: goal, tree: tree)
    try run.execute()
    rounds = schedules.map(\.rounds.count).max() ?? 0
    elementsSent = schedules.map(\.elementsSent)
  }

  /// What can be seen in one schedule alone: peers, ranges, planes, and races within a round.
  /// - Parameter planes: of each rank; nil for one.
  private static func checkLocally(
    _ schedules: [Schedule], planes: [Int]?
  ) throws(ScheduleFault) {
    for (rank, schedule) in schedules.enumerated() {
      guard schedule.rank == rank, schedule.size == schedules.count,
        schedule.count == schedules[0].count
      else { throw .inconsistent(rank: rank) }
      for (number, round) in schedule.rounds.enumerated() {
        var lastSource = (0, 0)
        for transfer in round.transfers {
          let sender = transfer.direction == .send ? rank : transfer.peer
          guard schedules.indices.contains(transfer.peer),
            transfer.peer != rank || transfer.isReduced && transfer.plane != transfer.target,
            transfer.range.lowerBound >= 0, transfer.range.upperBound <= schedule.count,
            !transfer.range.isEmpty,
            0..<(planes?[sender] ?? 1) ~= transfer.plane,
            0..<(transfer.isReduced ? planes?[rank] ?? 1 : 1) ~= transfer.target
          else { throw .invalid(rank: rank, round: number, transfer: transfer) }
          guard transfer.direction == .receive else { continue }
          guard (transfer.peer, transfer.plane) >= lastSource else {
            throw .unordered(rank: rank, round: number)
          }
          lastSource = (transfer.peer, transfer.plane)
        }
        if let (a, b) = round.race(on: rank) { throw .race(rank: rank, round: number, a, b) }
      }
    }
  }
}

extension Round {
  /// Two transfers that may not be under way together: they overlap, at least one writes, and they
  /// are not contributions of the same kind to the same range.
  fileprivate func race(on rank: Int) -> (Transfer, Transfer)? {
    guard transfers.count > 1 else { return nil }
    let planes = transfers.reduce(0) { max($0, $1.plane, $1.target) }
    for plane in 0...planes {
      let touching = transfers.compactMap { $0.access(to: plane, on: rank) }
      if let race = Round.race(among: touching) { return race }
    }
    return nil
  }

  /// The same of transfers that touch one plane.
  private static func race(among transfers: [Transfer]) -> (Transfer, Transfer)? {
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

extension Transfer {
  /// What the transfer does to a plane of `rank`, whose it is: nil if it does not touch it. One of
  /// the rank's own planes is read as if it were sent.
  fileprivate func access(to plane: Int, on rank: Int) -> Transfer? {
    if direction == .receive && plane == target { return self }
    guard plane == self.plane, direction == .send || peer == rank else { return nil }
    var access = self
    access.direction = .send
    return access
  }
}
