/// What one rank does in one collective: a value without effects. The proof runs all ranks' schedules
/// symbolically, the executor runs one of them over a transport.
public struct Schedule: Equatable, Sendable {
  /// Whose schedule it is, of how many ranks, on how many elements.
  public var rank: Int
  public var size: Int
  public var count: Int
  /// Executed one after the other; the transfers of a round are under way at the same time.
  public var rounds: [Round]

  public init(rank: Int, size: Int, count: Int, rounds: [Round]) {
    self.rank = rank
    self.size = size
    self.count = count
    self.rounds = rounds
  }

  /// Elements that this rank sends in all.
  public var elementsSent: Int {
    rounds.reduce(0) { sum, round in
      sum + round.transfers.reduce(0) { $0 + ($1.action == .send ? $1.range.count : 0) }
    }
  }
}

/// Transfers that run at the same time. Sends read the buffer as it is at the round's start; what is
/// received to be reduced is added when all of the round's transfers have completed.
public struct Round: Equatable, Sendable {
  public var transfers: [Transfer]

  /// Transfers of nothing are left out: both sides agree on what is empty.
  public init(_ transfers: [Transfer]) { self.transfers = transfers.filter { !$0.range.isEmpty } }
}

/// The movement of one range of the buffer, to or from one peer.
public struct Transfer: Equatable, Sendable {
  public enum Action: Equatable, Sendable {
    case send
    /// Receive into the buffer, over what was there.
    case receiveAndReplace
    /// Receive, and add to what is in the buffer.
    case receiveAndReduce
  }

  public var action: Action
  public var peer: Int
  /// Elements of the buffer.
  public var range: Range<Int>

  public init(_ action: Action, _ peer: Int, _ range: Range<Int>) {
    self.action = action
    self.peer = peer
    self.range = range
  }
}
