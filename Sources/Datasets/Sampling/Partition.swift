import Kernels

/// Which samples of a global batch a rank works on: the batch is cut into shards, and every rank
/// has a contiguous run of them. Pure arithmetic, the same on every rank.
///
///     batch of 256, 8 shards, 3 ranks
///     | 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 |     32 samples each
///     | rank 0| rank 1    | rank 2    |
public struct Partition: Equatable, Sendable {
  public let shards: Int
  public let ranks: Int

  /// - Precondition: there is a shard for every rank.
  public init(shards: Int, ranks: Int) {
    precondition(ranks > 0 && shards >= ranks)
    self.shards = shards
    self.ranks = ranks
  }

  /// The shards of `rank`: at least one.
  public func shards(of rank: Int) -> Range<Int> {
    rank * shards / ranks..<(rank + 1) * shards / ranks
  }

  /// The samples of `shard` within a batch of `batchSize`: possibly none.
  public func samples(of shard: Int, batchSize: Int) -> Range<Int> {
    shard * batchSize / shards..<(shard + 1) * batchSize / shards
  }

  /// The samples of `rank` within a batch of `batchSize`.
  public func samples(ofRank rank: Int, batchSize: Int) -> Range<Int> {
    let run = shards(of: rank)
    return samples(of: run.lowerBound, batchSize: batchSize)
      .lowerBound..<samples(of: run.upperBound - 1, batchSize: batchSize).upperBound
  }

  /// The rows of `rank`'s part of a batch, shard by shard.
  public func rows(ofRank rank: Int, batchSize: Int) -> ShardRows {
    let run = shards(of: rank)
    let start = samples(ofRank: rank, batchSize: batchSize).lowerBound
    return ShardRows(
      first: run.lowerBound,
      ends: run.map { samples(of: $0, batchSize: batchSize).upperBound - start })
  }
}
