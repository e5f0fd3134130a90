import Datasets
import Kernels

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
///
/// Sums that wait are in the first planes of the gradients, in the order of shards: a pass writes its
/// own behind them, and what is left at the end is what the rank brings into the allreduce.
struct AccumulationPlan: Equatable {
  struct Pass: Equatable {
    /// Counted from the rank's first.
    var shards: Range<Int>
    /// The first plane that it writes: one for each of its complete subtrees.
    var plane: Int
    /// How many planes are then added to the one in front of them, from that plane on backwards.
    var merges: Int
  }

  private(set) var passes: [Pass] = []
  /// Planes that are ever in use.
  private(set) var planes = 0

  /// - Parameter count: passes of each rank, if it is a power of two; others may need more.
  /// - Precondition: `count` is a power of two, and there is a shard for each pass.
  init(_ partition: Partition, rank: Int, passes count: Int) {
    precondition(count > 0 && count & (count - 1) == 0)
    precondition(partition.shards >= partition.ranks * count)
    let run = partition.shards(of: rank)
    // The largest power of two that gives every rank so many passes.
    let most = partition.shards / (partition.ranks * count)
    let size = count == 1 ? partition.shards : 1 << (Int.bitWidth - 1 - most.leadingZeroBitCount)
    var waiting: [Range<Int>] = []
    var start = run.lowerBound
    while start < run.upperBound {
      let shards = start..<min((start / size + 1) * size, run.upperBound)
      start = shards.upperBound
      let plane = waiting.count
      var merges = 0
      waiting += shards.subtrees
      planes = max(planes, waiting.count)
      // Only a pass of one subtree completes another: those at the ends of a run begin or end one.
      while waiting.count >= 2,
        AccumulationPlan.areSiblings(waiting[waiting.count - 2], waiting.last!)
      {
        let right = waiting.removeLast()
        waiting[waiting.count - 1] = waiting.last!.lowerBound..<right.upperBound
        merges += 1
      }
      passes.append(
        Pass(
          shards: shards.lowerBound - run.lowerBound..<shards.upperBound - run.lowerBound,
          plane: plane, merges: merges))
    }
  }

  /// Whether two neighbours are the halves of a subtree.
  private static func areSiblings(_ left: Range<Int>, _ right: Range<Int>) -> Bool {
    left.count == right.count && left.lowerBound % (2 * left.count) == 0
  }

  /// The planes that all ranks have room for: as many as any of them uses.
  static func planes(_ partition: Partition, passes: Int) -> Int {
    (0..<partition.ranks)
      .map { AccumulationPlan(partition, rank: $0, passes: passes).planes }.max()!
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
