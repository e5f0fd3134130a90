/// What a message costs on a link: `alpha` until the first byte has arrived, and the link's time for its
/// bytes. Messages share the second and not the first. With a constant time per byte this is Hockney's
/// alpha-beta model (Parallel Computing 20, 1994).
public struct LinkModel: Equatable, Sendable {
  /// Seconds before a message's first byte has arrived, whatever its size.
  public var alpha: Double
  /// How long a message's bytes keep the link busy.
  public var transfer: CostCurve

  public init(alpha: Double, transfer: CostCurve) {
    precondition(alpha >= 0)
    self.alpha = alpha
    self.transfer = transfer
  }

  /// - Parameters:
  ///   - alpha: seconds.
  ///   - bandwidth: bytes per second in each direction.
  public init(alpha: Double, bandwidth: Double) {
    precondition(bandwidth > 0)
    self.init(alpha: alpha, transfer: CostCurve(secondsPerByte: 1 / bandwidth))
  }

  /// From the measured times of single messages: alpha is where the line through the two smallest sizes
  /// meets zero bytes.
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
