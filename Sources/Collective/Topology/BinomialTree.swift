/// The tree in which rank r's parent is r with its lowest set bit cleared, so that every subtree is
/// a contiguous run of ranks: combining child after child, nearest first, follows the canonical
/// tree.
///
///     0
///     +-- 1
///     +-- 2
///     |   +-- 3
///     +-- 4
///         +-- 5
///         +-- 6
///             +-- 7
///
/// With another root every rank moves on by that number: rank (i + root) mod p takes place i.
struct BinomialTree {
  let size: Int
  var root = 0

  /// Levels of edges: the length of the longest path to the root, rounded up over all ranks.
  var levels: Int { Int.bitWidth - (size - 1).leadingZeroBitCount }

  private func place(of rank: Int) -> Int { rank < root ? rank - root + size : rank - root }

  private func rank(at place: Int) -> Int {
    place < size - root ? place + root : place + root - size
  }

  /// The level at which `rank` meets its parent; nil for the root.
  func levelToParent(of rank: Int) -> Int? {
    rank == root ? nil : place(of: rank).trailingZeroBitCount
  }

  func parent(of rank: Int) -> Int {
    let place = place(of: rank)
    return self.rank(at: place & (place - 1))
  }

  /// The child that `rank` meets at `level`, if it has one there.
  func child(of rank: Int, at level: Int) -> Int? {
    let place = place(of: rank)
    guard place == 0 || level < place.trailingZeroBitCount else { return nil }
    let child = place + (1 << level)
    return child < size ? self.rank(at: child) : nil
  }

  /// Children have levels 0..<childCount: below the parent's, and no further than there are ranks.
  func childCount(of rank: Int) -> Int {
    let place = place(of: rank)
    let reachable = Int.bitWidth - (size - 1 - place).leadingZeroBitCount
    return min(place.trailingZeroBitCount, reachable)
  }

  /// `rank` and all below it: a run of ranks, counted modulo the size.
  func subtree(of rank: Int) -> Range<Int> {
    let place = place(of: rank)
    return rank..<rank + (place == 0 ? size : min(place & -place, size - place))
  }
}
