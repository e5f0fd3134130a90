import Kernels

/// The canonical sum by its definition: what `ShardSum` has to give, bit for bit.
enum ShardTree {
  /// The balanced binary tree over all of `leaves` (a power of two of them).
  static func sum(_ leaves: ArraySlice<Grid>) -> Grid {
    precondition(leaves.count.nonzeroBitCount == 1)
    if leaves.count == 1 { return leaves.first! }
    let middle = leaves.startIndex + leaves.count / 2
    return sum(leaves[..<middle]) + sum(leaves[middle...])
  }

  /// A run of shards from `first`: its maximal aligned subtrees, added from the right to the left.
  static func sum(run leaves: [Grid], first: Int) -> Grid {
    var subtrees: [Grid] = []
    var start = 0
    while start < leaves.count {
      var size = 1
      while (first + start) % (2 * size) == 0, start + 2 * size <= leaves.count { size *= 2 }
      subtrees.append(sum(leaves[start..<start + size]))
      start += size
    }
    let last = subtrees.removeLast()
    return subtrees.reversed().reduce(last) { $1 + $0 }
  }

  /// What ranks make of their sums: neighbours first, then pairs of pairs.
  static func combine(_ ranks: [Grid]) -> Grid { sum(ranks[...]) }
}

extension Grid {
  static func + (a: Grid, b: Grid) -> Grid {
    precondition(a.rows == b.rows && a.columns == b.columns)
    return Grid(rows: a.rows, columns: a.columns, zip(a.values, b.values).map { $0 + $1 })
  }

  /// Values between 2^-12 and 2^12 of either sign, so that every order of summation rounds in its
  /// own way.
  init(rows: Int, columns: Int, cancelling number: Int) {
    let mantissas = randomValues(rows * columns, 2 * number)
    let exponents = randomValues(rows * columns, 2 * number + 1)
    self.init(
      rows: rows, columns: columns,
      zip(mantissas, exponents).map { Float(sign: .plus, exponent: Int($1 * 12), significand: $0) })
  }
}

/// A batch cut into shards, and shards dealt out to ranks, as `Datasets.Partition` does it.
struct ShardedBatch: CustomStringConvertible {
  var rows: Int
  var shards: Int

  var description: String { "\(rows) rows in \(shards) shards" }

  func rows(ofShard shard: Int) -> Range<Int> {
    shard * rows / shards..<(shard + 1) * rows / shards
  }

  /// The rows of a run of shards within the batch, and how they belong to shards.
  func run(_ run: Range<Int>) -> (rows: Range<Int>, shards: ShardRows) {
    let start = rows(ofShard: run.lowerBound).lowerBound
    let ends = run.map { rows(ofShard: $0).upperBound }
    return (start..<ends.last!, ShardRows(first: run.lowerBound, ends: ends.map { $0 - start }))
  }

  /// The shards of each of `ranks` ranks.
  func runs(ranks: Int) -> [Range<Int>] {
    (0..<ranks).map { $0 * shards / ranks..<($0 + 1) * shards / ranks }
  }
}
