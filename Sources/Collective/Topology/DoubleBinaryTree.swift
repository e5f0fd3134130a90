/// Two binary trees over the same ranks, in which every rank has children in at most one: what a
/// rank sends to two children in one tree it does not send in the other, so that both together use
/// what every rank can send and receive (P. Sanders, J. Speck & J. L. Träff, "Two-tree algorithms
/// for full bandwidth broadcast, reduction and scan", Parallel Computing 35, 2009).
///
/// Both have the same shape: places 1...p in order, in which a place's level is the number of its
/// trailing zero bits. Odd places are leaves, even ones are not.
///
///     level 3                 8              p = 10
///                     .-------'---.
///     level 2         4           |
///                 .---'---.       |
///     level 1     2       6       10
///                .'.     .'.     .'
///     level 0   1   3   5   7   9
///
/// Tree 0 puts rank r on place r + 1. Tree 1 mirrors the ranks where p is even (place p - r) and
/// shifts them by one where it is odd (place r, and p for rank 0): either way odd ranks change with
/// even ones, except for rank 0 of an odd p, which is a leaf twice.
struct DoubleBinaryTree {
  let size: Int

  /// Edges on the longest path to a root: floor(log2 p).
  var height: Int { Int.bitWidth - 1 - size.leadingZeroBitCount }

  /// Edges between `rank` and the root of `tree`.
  func depth(of rank: Int, in tree: Int) -> Int {
    let place = place(of: rank, in: tree)
    return levels(above: place).count { ancestor(of: place, at: $0) <= size }
  }

  /// nil for the root.
  func parent(of rank: Int, in tree: Int) -> Int? {
    let place = place(of: rank, in: tree)
    for level in levels(above: place) {
      let ancestor = ancestor(of: place, at: level)
      if ancestor <= size { return self.rank(at: ancestor, in: tree) }
    }
    return nil
  }

  /// None, one, or two children.
  func children(of rank: Int, in tree: Int) -> (Int?, Int?) {
    let place = place(of: rank, in: tree)
    let half = (place & -place) / 2
    guard half > 0 else { return (nil, nil) }
    // The right subtree is what lies between here and the next place of this level or above.
    let right = min(2 * half - 1, size - place)
    return (
      self.rank(at: place - half, in: tree),
      right == 0 ? nil : self.rank(at: place + floorOfPower(right), in: tree)
    )
  }

  /// Whether all children of `rank` are leaves.
  func isAboveLeaves(_ rank: Int, in tree: Int) -> Bool {
    place(of: rank, in: tree).trailingZeroBitCount == 1
  }

  private func levels(above place: Int) -> Range<Int> {
    place.trailingZeroBitCount + 1..<height + 1
  }

  /// The place of `level` whose subtree `place` would be in if there were enough ranks.
  private func ancestor(of place: Int, at level: Int) -> Int {
    ((place >> (level + 1)) << (level + 1)) | (1 << level)
  }

  /// The largest power of two that is at most `number`.
  private func floorOfPower(_ number: Int) -> Int {
    1 << (Int.bitWidth - 1 - number.leadingZeroBitCount)
  }

  private func place(of rank: Int, in tree: Int) -> Int {
    if tree == 0 { return rank + 1 }
    return size.isMultiple(of: 2) ? size - rank : (rank == 0 ? size : rank)
  }

  private func rank(at place: Int, in tree: Int) -> Int {
    if tree == 0 { return place - 1 }
    return size.isMultiple(of: 2) ? size - place : (place == size ? 0 : place)
  }
}
