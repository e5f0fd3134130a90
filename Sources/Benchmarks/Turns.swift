/// The order in which candidates take turns: another one in every round, the same on all ranks, so
/// that none always comes after the same other, whose code and data fill the caches.
struct Turns {
  /// Some are enough: they are used one round after the other.
  private static let count = 64
  private let orders: [[Int]]

  init(of candidates: Int) {
    orders = (0..<UInt64(Turns.count)).map { round in
      (0..<candidates).sorted {
        (round << 32 | UInt64($0)).mixed < (round << 32 | UInt64($1)).mixed
      }
    }
  }

  /// The candidates of a round, in their order.
  subscript(round: Int) -> [Int] { orders[round % Turns.count] }
}

extension UInt64 {
  /// A permutation of 64-bit integers in which neighbours have nothing in common (SplitMix64's;
  /// Steele, Lea & Flood, OOPSLA 2014).
  var mixed: UInt64 {
    var x = self &+ 0x9e37_79b9_7f4a_7c15
    x = (x ^ (x >> 30)) &* 0xbf58_476d_1ce4_e5b9
    x = (x ^ (x >> 27)) &* 0x94d0_49bb_1331_11eb
    return x ^ (x >> 31)
  }
}
