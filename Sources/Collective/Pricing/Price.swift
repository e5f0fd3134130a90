/// What a collective will cost, before it is run: a reader of the very schedules that the executor
/// runs.
public struct Price: Equatable, Sendable {
  /// Predicted: from the start of all ranks to the end of the last one.
  public var seconds: Double
  /// Exchanges, one after the other. Reading and writing the shared window is one each.
  public var rounds: Int
  /// In messages, by the rank that sends most.
  public var bytesSent: Int
  /// On the busiest node's link, in the busier direction.
  public var bytesPerNodeLink: Int
  /// Of all ranks together.
  public var messages: Int

  init(seconds: Double, rounds: Int, bytesSent: Int, bytesPerNodeLink: Int, messages: Int) {
    self.seconds = seconds
    self.rounds = rounds
    self.bytesSent = bytesSent
    self.bytesPerNodeLink = bytesPerNodeLink
    self.messages = messages
  }

  /// The price of all ranks' schedules.
  ///
  /// Each rank has a clock. A round begins for a rank when its last one has ended; a transfer
  /// begins when both of its sides have come to it. The transfers of a round that share a link
  /// begin when all of them can and end together, alpha later than their bytes. What has been
  /// received is reduced, a segment at a time, while the rest arrives.
  /// - Complexity: O(transfers) time, O(ranks) memory.
  /// - Precondition: every transfer has its counterpart in the same round of its peer.
  public init(of collective: any ScheduleGenerator, on model: CostModel, width: ElementWidth) {
    self.init(of: collective, on: model, width: width, copies: 1)
  }

  /// - Parameter copies: as many equal collectives run at once, on other ranks of the same nodes.
  init(
    of collective: any ScheduleGenerator, on model: CostModel, width: ElementWidth, copies: Int
  ) {
    let walk = ScheduleWalk(collective, on: model, width: width, copies: copies)
    for round in 0..<collective.roundCount { walk.advance(through: round) }
    self = walk.price
  }
}
