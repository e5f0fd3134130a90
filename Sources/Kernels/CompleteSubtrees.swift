// A binary tree over leaves 0, 1, 2, ...: a complete subtree holds 2^k leaves and begins at a
// multiple of 2^k. A run of leaves consists of a few of them, the fewest being
//
//     leaves  5 | 6 7 | 8 9 10 11 | 12        of the run 5 ..< 13
//
// at most two of each size. Of a sum along the tree, a run's holder has theirs and no less.

extension Range<Int> {
  /// The largest complete subtree that the run begins with.
  /// - Precondition: the run is not empty.
  package var leadingSubtree: Range<Int> {
    precondition(!isEmpty && lowerBound >= 0)
    let most = 1 << (Int.bitWidth - 1 - count.leadingZeroBitCount)
    let size = lowerBound == 0 ? most : Swift.min(most, lowerBound & -lowerBound)
    return lowerBound..<lowerBound + size
  }

  /// How many complete subtrees the run consists of.
  package var subtreeCount: Int {
    var rest = self
    var number = 0
    while !rest.isEmpty {
      rest = rest.leadingSubtree.upperBound..<upperBound
      number += 1
    }
    return number
  }

  /// The complete subtrees that the run consists of, ascending.
  package var subtrees: [Range<Int>] {
    var rest = self
    var subtrees: [Range<Int>] = []
    while !rest.isEmpty {
      subtrees.append(rest.leadingSubtree)
      rest = subtrees.last!.upperBound..<upperBound
    }
    return subtrees
  }
}
