/// Why a set of schedules does not do what a collective is for.
public enum ScheduleFault: Error, Equatable {
  /// Rank, size or count differ from those of the other schedules.
  case inconsistent(rank: Int)
  /// A peer, a range or a plane that does not exist.
  case invalid(rank: Int, round: Int, transfer: Transfer)
  /// A round's receives are not in the order of their peers and planes.
  case unordered(rank: Int, round: Int)
  /// Two transfers of one round touch the same elements, and at least one writes them.
  case race(rank: Int, round: Int, Transfer, Transfer)
  /// What one side sends is not what the other expects: another range, plane or payload.
  case mismatch(sender: Int, sent: Transfer, receiver: Int, expected: Transfer)
  /// These ranks wait, each in its round, for ranks that never come.
  case deadlock(waiting: [Int: Int])
  /// A rank sends elements, or adds to elements, that it holds nothing of.
  case undefined(rank: Int, round: Int, transfer: Transfer)
  /// A rank sends as an input what is not its own input, or as a result what is not complete.
  case wrongPayload(rank: Int, round: Int, transfer: Transfer)
  /// A rank adds inputs that it already has.
  case duplicate(rank: Int, round: Int, range: Range<Int>)
  /// A rank has added up what is no complete subtree of the sum's tree.
  case notASubtree(rank: Int, round: Int, range: Range<Int>)
  /// At the end an element of `rank` lacks the inputs - by rank, or by their place among the terms
  /// of a `SumTree` - `missing`.
  case incomplete(rank: Int, element: Int, missing: [Int])
}
