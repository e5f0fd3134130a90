/// What messages cost on a link. Those of one round share the time of their bytes, and not alpha.
public struct LinkModel: Equatable, Sendable {
  /// What is received replaces what was there; both sides send and receive.
  public var replacing: MessageCost
  /// The same for other rounds, reductions included, where they were measured. Else they take as
  /// long, and reductions are priced by the model's arithmetic.
  public var measured: MeasuredRounds?

  /// Costs of rounds that do more, or less, than to replace.
  public struct MeasuredRounds: Equatable, Sendable {
    /// What is received is added to other elements than those that are sent.
    public var reducing: MessageCost
    /// It is added to the very elements that are sent: they come into the caches once for both.
    public var combining: MessageCost
    /// One side sends, the other one receives: the mean of replacing and adding.
    public var oneWay: MessageCost

    public init(reducing: MessageCost, combining: MessageCost, oneWay: MessageCost) {
      self.reducing = reducing
      self.combining = combining
      self.oneWay = oneWay
    }
  }

  public init(alpha: Double, transfer: CostCurve) {
    replacing = MessageCost(alpha: alpha, transfer: transfer)
  }

  /// - Parameters:
  ///   - alpha: seconds.
  ///   - bandwidth: bytes per second in each direction.
  public init(alpha: Double, bandwidth: Double) {
    precondition(bandwidth > 0)
    self.init(alpha: alpha, transfer: CostCurve(secondsPerByte: 1 / bandwidth))
  }

  /// Through what was measured.
  /// - Precondition: `points` are not empty.
  public init(_ points: LinkPoints) {
    replacing = MessageCost(messages: points.replacing)
    guard !points.reducing.isEmpty, !points.combining.isEmpty, !points.oneWay.isEmpty else {
      return
    }
    measured = MeasuredRounds(
      reducing: MessageCost(messages: points.reducing),
      combining: MessageCost(messages: points.combining),
      oneWay: MessageCost(messages: points.oneWay))
  }

  /// Seconds before an exchanged message's first byte has arrived.
  public var alpha: Double { replacing.alpha }

  /// From the start of an exchanged message to its end, on a link that it has for itself.
  public func seconds(_ bytes: Int) -> Double { replacing.seconds(bytes) }

  func cost(of kind: RoundKind) -> MessageCost {
    guard let measured else { return replacing }
    switch kind {
    case .replacing: return replacing
    case .reducing: return measured.reducing
    case .combining: return measured.combining
    case .oneWay: return measured.oneWay
    }
  }
}

/// What a rank does in a round, as far as it decides what the round costs.
enum RoundKind {
  case replacing
  case reducing
  case combining
  case oneWay

  init(_ round: Round) {
    let sent = round.transfers.filter { $0.direction == .send }
    let received = round.transfers.filter { $0.direction == .receive }
    if sent.isEmpty || received.isEmpty {
      self = .oneWay
    } else if let reduced = received.first(where: \.isReduced) {
      self = sent.contains { $0.range.overlaps(reduced.range) } ? .combining : .reducing
    } else {
      self = .replacing
    }
  }
}
