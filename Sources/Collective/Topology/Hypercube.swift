/// A power-of-two number of nodes, each with one neighbour per dimension: the node whose number
/// differs in that bit.
///
///     dimension 0     0 - 1   2 - 3   4 - 5   6 - 7
///     dimension 1     0 - 2   1 - 3   4 - 6   5 - 7
///     dimension 2     0 - 4   1 - 5   2 - 6   3 - 7
///
/// Ranks beyond the largest power of two have no node of their own: each lends its input to the
/// rank before it and gets the result back. The first 2(p - 2^d) ranks form such pairs,
///
///     ranks   0   1   2   3   4   5   6        p = 7, d = 2, three pairs
///     nodes   0 <-'   1 <-'   2 <-'   3
struct Hypercube {
  /// Ranks.
  let size: Int

  /// d: the largest number with 2^d <= size.
  var dimensions: Int { Int.bitWidth - 1 - size.leadingZeroBitCount }
  var nodes: Int { 1 << dimensions }
  /// Ranks without a node.
  var guests: Int { size - nodes }

  /// The node of a rank; nil for a guest.
  func node(of rank: Int) -> Int? {
    guard rank < 2 * guests else { return rank - guests }
    return rank.isMultiple(of: 2) ? rank / 2 : nil
  }

  func rank(ofNode node: Int) -> Int { node < guests ? 2 * node : node + guests }

  /// The rank that lends its input to `rank`, if one does.
  func guest(of rank: Int) -> Int? {
    rank < 2 * guests && rank.isMultiple(of: 2) ? rank + 1 : nil
  }

  func neighbour(of node: Int, in dimension: Int) -> Int { node ^ (1 << dimension) }
}
