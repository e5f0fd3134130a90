/// Which rows of a rank's batch belong to which shard of the global batch.
///
/// A rank holds a contiguous run of shards; shard `first + i` has the rows `rows(of: i)`, possibly
/// none.
///
///     shards   first        first+1   first+2
///     rows     0 ... 31  |  32 ... 63  |  64 ... 95        ends: [32, 64, 96]
public struct ShardRows: Sendable {
  public var first: Int
  public let count: Int
  /// Where sums over the run go, if each complete subtree of it has a plane of its own, as ranks that
  /// share a tree need it. Else there is one sum: subtrees are added from the right to the left.
  public var planes: SumPlanes?

  // Parts and multiples of a run share its table: they are made in every step.
  private let ends: [Int]
  /// The run's first shard in the table.
  private let offset: Int
  /// Rows for each of the table's.
  private let factor: Int

  /// - Parameter ends: of every shard, the row behind its last one.
  public init(first: Int, ends: [Int]) {
    precondition(first >= 0 && zip(ends, ends.dropFirst()).allSatisfy(<=) && (ends.first ?? 0) >= 0)
    self.init(first: first, count: ends.count, planes: nil, ends: ends, offset: 0, factor: 1)
  }

  private init(first: Int, count: Int, planes: SumPlanes?, ends: [Int], offset: Int, factor: Int) {
    self.first = first
    self.count = count
    self.planes = planes
    self.ends = ends
    self.offset = offset
    self.factor = factor
  }

  /// All rows in one shard: sums run straight through.
  public init(undivided rows: Int) { self.init(first: 0, ends: [rows]) }

  /// The same shards where every row is cut into `factor` rows: positions of an image, words of a
  /// text.
  public func scaled(by factor: Int) -> ShardRows {
    ShardRows(
      first: first, count: count, planes: planes, ends: ends, offset: offset,
      factor: self.factor * factor)
  }

  public var rows: Int { end(of: count - 1) }

  /// The rows of the `i`-th shard of the run.
  public func rows(of i: Int) -> Range<Int> { end(of: i - 1)..<end(of: i) }

  /// Some of the shards, with their rows counted from the first of them, summed into one.
  public func part(_ range: Range<Int>) -> ShardRows {
    precondition(range.lowerBound >= 0 && range.upperBound <= count)
    return ShardRows(
      first: first + range.lowerBound, count: range.count, planes: nil, ends: ends,
      offset: offset + range.lowerBound, factor: factor)
  }

  /// The row behind the `i`-th shard; where the run begins, for i = -1.
  func end(of i: Int) -> Int {
    precondition(i >= -1 && i < count)
    func entry(_ i: Int) -> Int { i < 0 ? 0 : ends[i] }
    return (entry(offset + i) - entry(offset - 1)) * factor
  }
}

extension ShardRows: Equatable {
  public static func == (a: ShardRows, b: ShardRows) -> Bool {
    a.first == b.first && a.count == b.count && a.planes == b.planes
      && (0..<a.count).allSatisfy { a.end(of: $0) == b.end(of: $0) }
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
