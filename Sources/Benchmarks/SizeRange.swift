import Experiments

/// Buffer sizes in bytes, each a factor larger than the one before: `4:64M:4`.
public struct SizeRange: Equatable, Sendable {
  public let minimum: Int
  public let maximum: Int
  public let factor: Int

  /// The largest buffer: a benchmark needs three of them, and more than the caches hold.
  public static let limit = 1 << 30

  /// Reads `MIN:MAX[:FACTOR]`, sizes with K, M or G for powers of 1024; one size alone is a range
  /// too.
  /// - Returns: nil if `text` is nothing of the kind, or not within 1 byte to 1 GiB.
  public init?(_ text: String) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard (1...3).contains(parts.count), let minimum = SizeRange.bytes(parts[0]),
      let maximum = SizeRange.bytes(parts[parts.count > 1 ? 1 : 0]), minimum <= maximum,
      let factor = parts.count > 2 ? Int(parts[2]) : 4, (2...SizeRange.limit).contains(factor)
    else { return nil }
    self.minimum = minimum
    self.maximum = maximum
    self.factor = factor
  }

  private static func bytes(_ text: Substring) -> Int? {
    guard let bytes = try? Quantity.bytes(String(text)), (1...limit).contains(bytes) else {
      return nil
    }
    return bytes
  }

  /// The sizes, rounded down to whole elements of `stride` bytes; each once, and none of no
  /// element.
  func sizes(stride: Int) -> [Int] {
    sequence(first: minimum) { $0 * factor <= maximum ? $0 * factor : nil }
      .map { $0 / stride * stride }
      .reduce(into: []) { if $1 > 0 && $0.last != $1 { $0.append($1) } }
  }

  /// The same as text.
  public var text: String {
    "\(SizeRange.text(minimum)):\(SizeRange.text(maximum)):\(factor)"
  }

  private static func text(_ bytes: Int) -> String {
    let units = [("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10)]
    guard let (letter, unit) = units.first(where: { bytes % $0.1 == 0 }) else { return "\(bytes)" }
    return "\(bytes / unit)\(letter)"
  }
}
