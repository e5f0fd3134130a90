/// Which rows of a rank's batch belong to which shard of the global batch.
///
/// A rank holds a contiguous run of shards; shard `first + i` has the rows `ends[i-1]..<ends[i]`,
/// possibly none.
///
///     shards   first        first+1   first+2
///     rows     0 ... 31  |  32 ... 63  |  64 ... 95        ends = [32, 64, 96]
public struct ShardRows: Equatable, Sendable {
  public var first: Int
  public var ends: [Int]
  /// Where sums over the run go, if each complete subtree of it has a plane of its own, as ranks that
  /// share a tree need it. Else there is one sum: subtrees are added from the right to the left.
  public var planes: SumPlanes?

  public init(first: Int, ends: [Int]) {
    precondition(first >= 0 && zip(ends, ends.dropFirst()).allSatisfy(<=) && (ends.first ?? 0) >= 0)
    self.first = first
    self.ends = ends
  }

  /// All rows in one shard: sums run straight through.
  public init(undivided rows: Int) { self.init(first: 0, ends: [rows]) }

  /// The same shards where every row is cut into `factor` rows: positions of an image, words of a
  /// text.
  public func scaled(by factor: Int) -> ShardRows {
    var scaled = ShardRows(first: first, ends: ends.map { $0 * factor })
    scaled.planes = planes
    return scaled
  }

  public var rows: Int { ends.last ?? 0 }
  public var count: Int { ends.count }

  /// The rows of the `i`-th shard of the run.
  public func rows(of i: Int) -> Range<Int> { (i == 0 ? 0 : ends[i - 1])..<ends[i] }

  /// Some of the shards, with their rows counted from the first of them, summed into one.
  public func part(_ range: Range<Int>) -> ShardRows {
    let start = range.lowerBound == 0 ? 0 : ends[range.lowerBound - 1]
    return ShardRows(first: first + range.lowerBound, ends: ends[range].map { $0 - start })
  }
}

extension ShardRows {
  /// The most partial sums that wait for their sibling while shards are added along the shard tree:
  /// two for each of its levels.
  var mostWaiting: Int { 2 * (Int.bitWidth - (first + count).leadingZeroBitCount) }

  /// Writes, for each shard of the run, how many of the partial sums that wait its own is added to:
  /// the schedule of `ShardSum`.
  func fillMerges(_ merges: UnsafeMutableBufferPointer<Int8>) {
    var waiting = 0
    for i in 0..<count {
      // A subtree of 2^level shards is complete, and its left sibling waits, where the run has all
      // of both.
      var level = 0
      while (first + i + 1) % (2 << level) == 0 && i + 1 >= 2 << level { level += 1 }
      merges[i] = Int8(i + 1 < count ? level : waiting)
      waiting += 1 - level
    }
  }
}
