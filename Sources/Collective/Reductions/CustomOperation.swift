import Synchronization

/// Names of custom operations, and the numbers in their place that ranks compare.
enum CustomOperation {
  /// The lowest bits of a number, that every call has room for; the highest of them is set.
  static let shortBits = 6
  /// All of them.
  static let bits = 20

  private static let names = Mutex<[UInt64: String]>([:])

  /// Remembers `name`.
  static func number(of name: String) -> UInt64 {
    // FNV-1a: the same on every rank, unlike `Hasher`.
    let hash = name.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    let number = hash & (1 << UInt64(bits) - 1) | 1 << UInt64(shortBits - 1)
    names.withLock { $0[number] = name }
    return number
  }

  /// The name, in quotes, if this process knows one for a number or for its lowest bits.
  static func name(ofNumber number: UInt64) -> String? {
    let isShort = number >> UInt64(shortBits) == 0
    let known = names.withLock { names in
      names.filter {
        $0.key == number || isShort && $0.key & (1 << UInt64(shortBits) - 1) == number
      }
    }
    return known.count == 1 ? "'\(known.first!.value)'" : nil
  }
}
