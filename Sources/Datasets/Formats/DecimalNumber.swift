/// Decimal numbers such as `+1`, `-0.5` and `2e-3` in bytes that end with no zero.
enum DecimalNumber {
  /// Powers of ten that a Double has exactly.
  private static let powers: [Double] = (0...22).map { exponent in
    (0..<exponent).reduce(1) { power, _ in power * 10 }
  }

  /// The number, correctly rounded; nil if the bytes are something else, infinity and NaN included.
  /// One that is too large becomes infinite.
  static func parse(_ word: Slice<UnsafeRawBufferPointer>) -> Double? {
    var (digits, exponent, hasDigits) = (UInt64(0), 0, false)
    // Up to 2^53, digits are exact.
    var isExact = true
    var place = word.startIndex
    func digit() -> UInt64? {
      guard place < word.endIndex, word[place] >= 0x30, word[place] <= 0x39 else { return nil }
      return UInt64(word[place] - 0x30)
    }
    let sign = word.first
    if sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { place += 1 }
    func take(_ next: UInt64, _ shift: Int) {
      hasDigits = true
      place += 1
      guard digits < 1 << 49 else {
        isExact = false
        return
      }
      digits = 10 * digits + next
      exponent += shift
    }
    while let next = digit() { take(next, 0) }
    if place < word.endIndex, word[place] == UInt8(ascii: ".") {
      place += 1
      while let next = digit() { take(next, -1) }
    }
    guard hasDigits else { return nil }
    if place < word.endIndex, word[place] | 0x20 == UInt8(ascii: "e") {
      place += 1
      let isNegative = place < word.endIndex && word[place] == UInt8(ascii: "-")
      if isNegative || place < word.endIndex && word[place] == UInt8(ascii: "+") { place += 1 }
      guard digit() != nil else { return nil }
      var written = 0
      while let next = digit() {
        written = min(10 * written + Int(next), 100_000)
        place += 1
      }
      exponent += isNegative ? -written : written
    }
    guard place == word.endIndex else { return nil }
    guard isExact, abs(exponent) < powers.count else {
      return Double(String(decoding: word, as: UTF8.self))
    }
    // One rounding of two exact numbers (Clinger, PLDI 1990).
    let value =
      exponent < 0 ? Double(digits) / powers[-exponent] : Double(digits) * powers[exponent]
    return sign == UInt8(ascii: "-") ? -value : value
  }
}
