import Kernels

/// The one order in which a sum is added up, however many ranks share it: the balanced binary tree
/// over its leaves. Every rank holds a run of leaves, and brings the sums of the complete subtrees
/// that its run consists of, each in a plane of its own:
///
///     leaf       0   1   2   3   4   5   6   7        8 leaves, 3 ranks
///     plane 0    0 + 1 | 2 + 3     |   5              rank 0 | rank 1 | rank 2
///     plane 1          |         4 |       6 + 7
///
/// Where every rank holds one subtree and ranks combine as leaves do - a power of two of each - this
/// is the canonical tree over ranks.
public struct SumTree: Hashable, Sendable {
  public let leaves: Int
  /// Of every rank, the complete subtrees that it holds, ascending: one a plane.
  public let subtrees: [[Range<Int>]]

  /// Leaves dealt out as evenly as may be: rank r has r n / p ..< (r + 1) n / p, rounded down.
  /// - Precondition: there is a leaf for every rank.
  public init(leaves: Int, ranks: Int) {
    precondition(ranks > 0 && leaves >= ranks)
    self.init(runs: (0..<ranks).map { $0 * leaves / ranks..<($0 + 1) * leaves / ranks })
  }

  /// - Parameter runs: of every rank; not empty, and each begins where the one before ends.
  init(runs: [Range<Int>]) {
    precondition(runs.first!.lowerBound == 0 && runs.allSatisfy { !$0.isEmpty })
    precondition(zip(runs, runs.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
    leaves = runs.last!.upperBound
    subtrees = runs.map(\.subtrees)
  }

  /// One leaf for every rank: the canonical tree over ranks.
  init(ofRanks ranks: Int) { self.init(leaves: ranks, ranks: ranks) }

  public var ranks: Int { subtrees.count }

  /// The most planes that a rank has.
  public var planes: Int { subtrees.map(\.count).max()! }

  /// The leaves of `rank`.
  func run(of rank: Int) -> Range<Int> {
    subtrees[rank].first!.lowerBound..<subtrees[rank].last!.upperBound
  }

  /// What one plane of one rank brings into the sum.
  struct Term: Equatable {
    var rank: Int
    var plane: Int
    /// Its first leaf.
    var start: Int
  }

  /// The terms of all ranks, in the order of leaves.
  var terms: [Term] {
    subtrees.enumerated().flatMap { rank, subtrees in
      subtrees.enumerated().map { Term(rank: rank, plane: $0, start: $1.lowerBound) }
    }
  }

  /// Whether `run` is a complete subtree, or what there is of one that ends beyond the last leaf.
  func isSubtree(_ run: Range<Int>) -> Bool {
    var size = 1
    while size < run.count { size *= 2 }
    return run.lowerBound % size == 0 && run.upperBound == min(run.lowerBound + size, leaves)
  }

  /// Whether every rank has one plane, and ranks combine as in the canonical tree over ranks.
  public var isOfRanks: Bool {
    let starts = subtrees.map { $0[0].lowerBound }
    func isBalanced(_ run: Range<Int>) -> Bool {
      guard run.count > 1 else { return true }
      let middle = run.lowerBound + run.count.largestPowerOfTwoBelow
      return middle == SumTree.middle(of: run, starts: { starts[$0] })
        && isBalanced(run.lowerBound..<middle) && isBalanced(middle..<run.upperBound)
    }
    return planes == 1 && isBalanced(0..<ranks)
  }

  /// Where terms `run` are parted: the first term of the right half of the smallest subtree that
  /// holds all of them.
  /// - Parameter starts: the first leaf of a term.
  @inline(__always)
  static func middle(of run: Range<Int>, starts: (Int) -> Int) -> Int {
    let last = starts(run.upperBound - 1)
    let level = Int.bitWidth - 1 - (starts(run.lowerBound) ^ last).leadingZeroBitCount
    let leaf = (last >> level) << level
    var middle = run.upperBound - 1
    while starts(middle - 1) >= leaf { middle -= 1 }
    return middle
  }
}
