/// Buffers from one power of two of bytes to the next, which are treated alike.
public struct SizeClass: Hashable, Sendable, CustomStringConvertible {
  /// log2 of the smallest size; -1 for no bytes.
  public let exponent: Int

  public init(bytes: Int) {
    precondition(bytes >= 0)
    exponent = Int.bitWidth - 1 - bytes.leadingZeroBitCount
  }

  /// Bytes of the smallest buffer.
  public var smallest: Int { exponent < 0 ? 0 : 1 << exponent }

  /// `64 KB to 128 KB`: powers of 1024.
  public var description: String {
    exponent < 0
      ? "0 B" : "\(SizeClass.text(exponent: exponent)) to \(SizeClass.text(exponent: exponent + 1))"
  }

  private static func text(exponent: Int) -> String {
    let unit = min(exponent / 10, 4)
    return "\(1 << (exponent - 10 * unit)) \(["B", "KB", "MB", "GB", "TB"][unit])"
  }
}
