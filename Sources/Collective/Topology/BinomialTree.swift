/// The tree in which rank r's parent is r with its lowest set bit cleared, so that every subtree is a
/// contiguous run of ranks: combining child after child, nearest first, follows the canonical tree.
///
///     0
///     +-- 1
///     +-- 2
///     |   +-- 3
///     +-- 4
///         +-- 5
///         +-- 6
///             +-- 7
struct BinomialTree {
  let size: Int

  /// Levels of edges: the length of the longest path to the root, rounded up over all ranks.
  var levels: Int { Int.bitWidth - (size - 1).leadingZeroBitCount }

  /// The level at which `rank` meets its parent; nil for the root.
  func levelToParent(of rank: Int) -> Int? { rank == 0 ? nil : rank.trailingZeroBitCount }

  func parent(of rank: Int) -> Int { rank & (rank - 1) }

  /// The child that `rank` meets at `level`, if it has one there.
  func child(of rank: Int, at level: Int) -> Int? {
    guard rank == 0 || level < rank.trailingZeroBitCount else { return nil }
    let child = rank + (1 << level)
    return child < size ? child : nil
  }
}
