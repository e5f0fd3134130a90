/// What one rank does in one collective: a value without effects. The proof runs all ranks'
/// schedules symbolically, the executor runs one of them over a transport.
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
      sum + round.transfers.reduce(0) { $0 + ($1.direction == .send ? $1.range.count : 0) }
    }
  }
}

/// Transfers that run at the same time. Sends read the buffer as it is at the round's start; what
/// is received to be reduced is added when all of the round's transfers have completed. Receives
/// are in the order of their peers and planes, and those that are reduced into the same elements
/// have one range and one kind of payload, so that all of them can be added in one pass, in an order
/// of the reader's choice.
public struct Round: Equatable, Sendable {
  public var transfers: [Transfer]

  /// Transfers of nothing are left out: both sides agree on what is empty.
  public init(_ transfers: [Transfer]) {
    let isWhole = transfers.allSatisfy { !$0.range.isEmpty }
    self.transfers = isWhole ? transfers : transfers.filter { !$0.range.isEmpty }
  }
}

/// The movement of one range of the buffer, to or from one peer.
///
/// A sum along a `SumTree` has several planes of the buffer on each rank: what is sent comes from one
/// of them, what is received is added to one of them, and a rank's own planes are added to each other
/// by receives from itself, which are no messages. Results are in plane 0, as is everything else.
public struct Transfer: Equatable, Sendable {
  public enum Direction: Equatable, Sendable {
    case send
    case receive
  }

  /// What the elements that move are: this decides what the receiver does with them, and in which
  /// type they travel (partial sums of 16-bit elements as `Float`, everything else as it is).
  public enum Payload: Equatable, Sendable {
    /// One rank's own input; reduced into the receiver's buffer.
    case input
    /// The sum of the inputs of some ranks; reduced into the receiver's buffer.
    case partial
    /// An element as it will be at the end; replaces what is in the receiver's buffer.
    case result
  }

  public var direction: Direction
  public var payload: Payload
  public var peer: Int
  /// Elements of the buffer.
  public var range: Range<Int>
  /// The sender's plane.
  public var plane: Int
  /// The receiver's plane that it is reduced into.
  public var target: Int

  public init(
    _ direction: Direction, _ payload: Payload, _ peer: Int, _ range: Range<Int>, plane: Int = 0,
    target: Int = 0
  ) {
    self.direction = direction
    self.payload = payload
    self.peer = peer
    self.range = range
    self.plane = plane
    self.target = target
  }

  /// Whether what arrives is added to what is there.
  public var isReduced: Bool { direction == .receive && payload != .result }
}
