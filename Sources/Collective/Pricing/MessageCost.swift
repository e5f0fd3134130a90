/// What a message costs: `alpha` until its first byte has arrived, and the time that its bytes keep
/// a link busy. With a constant time per byte this is Hockney's alpha-beta model (Parallel
/// Computing 20, 1994).
public struct MessageCost: Equatable, Sendable {
  /// Seconds, whatever the size.
  public var alpha: Double
  public var transfer: CostCurve

  public init(alpha: Double, transfer: CostCurve) {
    precondition(alpha >= 0)
    self.alpha = alpha
    self.transfer = transfer
  }

  /// From the measured times of single messages: alpha is where the line through the two smallest
  /// sizes meets zero bytes.
  /// - Precondition: at least one message; sizes are positive and ascend; times are not negative.
  public init(messages: [CostCurve.Point]) {
    let messages = CostCurve.levelled(messages)
    let first = messages[0]
    var alpha = first.seconds
    if messages.count > 1 {
      let slope = (messages[1].seconds - first.seconds) / Double(messages[1].bytes - first.bytes)
      alpha = max(0, alpha - slope * Double(first.bytes))
    }
    self.init(
      alpha: alpha,
      transfer: CostCurve(
        through: messages.map { .init(bytes: $0.bytes, seconds: max(0, $0.seconds - alpha)) }))
  }

  /// From the start of a message to its end, on a link that it has for itself.
  public func seconds(_ bytes: Int) -> Double { alpha + transfer.seconds(bytes) }
}
