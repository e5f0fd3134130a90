/// A float of 16 bits with `Float`'s exponent and 8 bits of significand: the upper half of a
/// `Float`.
public struct BFloat16: Equatable, Sendable, BitwiseCopyable {
  public var bitPattern: UInt16

  public init(bitPattern: UInt16) { self.bitPattern = bitPattern }

  /// The nearest value, ties to even; every NaN becomes the same quiet one.
  public init(_ value: Float) {
    guard !value.isNaN else {
      bitPattern = 0x7fc0
      return
    }
    let bits = value.bitPattern
    bitPattern = UInt16(truncatingIfNeeded: (bits &+ 0x7fff &+ (bits >> 16 & 1)) >> 16)
  }

  public static func == (a: BFloat16, b: BFloat16) -> Bool { Float(a) == Float(b) }
}

extension Float {
  /// Exact.
  public init(_ value: BFloat16) { self.init(bitPattern: UInt32(value.bitPattern) << 16) }
}
