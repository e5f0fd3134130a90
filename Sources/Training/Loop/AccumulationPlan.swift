import Datasets

/// How a rank works through its part of a batch: in passes, each over a few whole shards, so that
/// activations need memory for a pass's rows only. Passes follow the shard tree, and their
/// gradients are added along it: the result has the bits of one pass over everything.
///
///     shard     0   1   2   3   4   5   6   7
///                \ /     \ /     \ /     \ /
///     passes      0       1       2       3       1 rank, 4 passes
///                  \     /         \     /
///                     +               +           after pass 1, and after pass 3
///                       \           /
///                             +                   after pass 3
struct AccumulationPlan: Equatable {
  struct Pass: Equatable {
    /// Counted from the rank's first.
    var shards: Range<Int>
    /// How many of the sums that wait are added to this pass's, the youngest first.
    var merges: Int
    /// Sums that wait then; this pass's becomes another, unless it is the last.
    var waiting: Int
  }

  private(set) var passes: [Pass] = []
  /// The most sums that ever wait.
  var sumCount: Int { passes.dropLast().map { $0.waiting + 1 }.max() ?? 0 }

  /// - Parameter count: passes of each rank, if ranks are a power of two; where they cut through
  ///   subtrees, a rank may need more.
  /// - Precondition: `count` is a power of two, and there is a shard for each pass.
  init(_ partition: Partition, rank: Int, passes count: Int) {
    precondition(count > 0 && count & (count - 1) == 0)
    precondition(partition.shards >= partition.ranks * count)
    let run = partition.shards(of: rank)
    guard count > 1 else {
      passes = [Pass(shards: 0..<run.count, merges: 0, waiting: 0)]
      return
    }
    // The largest power of two that gives every rank so many passes.
    let most = partition.shards / (partition.ranks * count)
    let size = 1 << (Int.bitWidth - 1 - most.leadingZeroBitCount)
    var waiting: [Range<Int>] = []
    var start = run.lowerBound
    while start < run.upperBound {
      let shards = start..<min((start / size + 1) * size, run.upperBound)
      start = shards.upperBound
      var sum = shards
      var merges = 0
      while let left = waiting.last,
        start == run.upperBound || AccumulationPlan.areSiblings(left, sum)
      {
        waiting.removeLast()
        sum = left.lowerBound..<sum.upperBound
        merges += 1
      }
      passes.append(
        Pass(
          shards: shards.lowerBound - run.lowerBound..<shards.upperBound - run.lowerBound,
          merges: merges, waiting: waiting.count))
      waiting.append(sum)
    }
  }

  /// Whether two neighbours are the halves of a subtree.
  private static func areSiblings(_ left: Range<Int>, _ right: Range<Int>) -> Bool {
    left.count == right.count && left.lowerBound % (2 * left.count) == 0
  }

  /// The most rows that a pass has in any batch.
  func maximumRows(_ partition: Partition, rank: Int, sampler: Sampler) -> Int {
    let sizes = [0, sampler.batchesPerEpoch - 1].map { sampler.positions(ofBatch: $0).count }
    return sizes.flatMap { size in
      let rows = partition.rows(ofRank: rank, batchSize: size)
      return passes.map { rows.part($0.shards).rows }
    }.max()!
  }
}
