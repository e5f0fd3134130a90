/// What is known of a result without looking at it.
public enum Finiteness: UInt8, Sendable {
  /// Nobody has looked, or not everybody.
  case unknown
  /// No element is NaN or an infinity.
  case finite
  /// Some element is.
  case notFinite

  /// Of both results together.
  public func and(_ other: Finiteness) -> Finiteness {
    switch (self, other) {
    case (.notFinite, _), (_, .notFinite): .notFinite
    case (.unknown, _), (_, .unknown): .unknown
    case (.finite, .finite): .finite
    }
  }
}
