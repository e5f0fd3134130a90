import Testing

@testable import Datasets
import Kernels

@Suite("which rank works on which samples")
struct PartitionTests {
  static let shards = [1, 2, 3, 4, 7, 8, 13, 16, 64]
  static let batchSizes = [0, 1, 2, 3, 5, 7, 8, 9, 11, 12, 16, 31, 64, 100, 255, 256, 1009]

  @Test("ranks' samples are the whole batch, each sample once and in order", arguments: shards)
  func cover(shards: Int) {
    for ranks in 1...shards {
      let partition = Partition(shards: shards, ranks: ranks)
      #expect((0..<ranks).flatMap { partition.shards(of: $0) } == Array(0..<shards))
      #expect((0..<ranks).allSatisfy { !partition.shards(of: $0).isEmpty })
      for size in PartitionTests.batchSizes {
        let all = (0..<ranks).flatMap { partition.samples(ofRank: $0, batchSize: size) }
        #expect(all == Array(0..<size), "\(ranks) ranks, batch of \(size)")
      }
    }
  }

  @Test("a shard's samples do not depend on the number of ranks", arguments: shards)
  func ranksDoNotMatter(shards: Int) {
    let alone = Partition(shards: shards, ranks: 1)
    for ranks in 1...shards {
      let partition = Partition(shards: shards, ranks: ranks)
      for size in PartitionTests.batchSizes {
        for rank in 0..<ranks {
          let rows = partition.rows(ofRank: rank, batchSize: size)
          let start = partition.samples(ofRank: rank, batchSize: size).lowerBound
          #expect(rows.first == partition.shards(of: rank).lowerBound)
          #expect(rows.count == partition.shards(of: rank).count)
          #expect(rows.rows == partition.samples(ofRank: rank, batchSize: size).count)
          for (i, shard) in partition.shards(of: rank).enumerated() {
            let samples = alone.samples(of: shard, batchSize: size)
            let here = rows.rows(of: i)
            #expect(samples == start + here.lowerBound..<start + here.upperBound)
          }
        }
      }
    }
  }

  @Test("shards of a batch, and ranks' runs of shards, differ by one at most", arguments: shards)
  func balanced(shards: Int) {
    for size in PartitionTests.batchSizes {
      let partition = Partition(shards: shards, ranks: 1)
      let counts = (0..<shards).map { partition.samples(of: $0, batchSize: size).count }
      #expect(counts.max()! - counts.min()! <= 1)
    }
    for ranks in 1...shards {
      let counts = (0..<ranks).map { Partition(shards: shards, ranks: ranks).shards(of: $0).count }
      #expect(counts.max()! - counts.min()! <= 1)
    }
  }

  @Test("the picture in the documentation is true")
  func picture() {
    let partition = Partition(shards: 8, ranks: 3)
    #expect((0..<3).map { partition.shards(of: $0) } == [0..<2, 2..<5, 5..<8])
    let rows = partition.rows(ofRank: 1, batchSize: 256)
    #expect(rows == ShardRows(first: 2, ends: [32, 64, 96]))
    #expect(partition.samples(ofRank: 2, batchSize: 256) == 160..<256)
  }

  @Test("no batch of an epoch has more rows than rowsOfLargestBatch, and one has as many")
  func largestBatch() {
    var shortIsLarger = 0
    for shards in [1, 3, 8, 16] {
      for ranks in 1...shards {
        let partition = Partition(shards: shards, ranks: ranks)
        for (count, batchSize) in [
          (1, 1), (5, 8), (23, 12), (24, 12), (100, 32), (107, 12), (11, 100), (1000, 33),
        ] {
          let sampler = Sampler(count: count, batchSize: batchSize, seed: 1, shuffles: false)
          for rank in 0..<ranks {
            let rows = (0..<sampler.batchesPerEpoch).map {
              partition.samples(ofRank: rank, batchSize: sampler.positions(ofBatch: $0).count).count
            }
            #expect(
              partition.rowsOfLargestBatch(ofRank: rank, sampler: sampler) == rows.max()!,
              "\(shards) shards, rank \(rank) of \(ranks), \(count) samples by \(batchSize)")
            if rows.last! > rows.first! { shortIsLarger += 1 }
          }
        }
      }
    }
    // The case that makes the function necessary does occur.
    #expect(shortIsLarger > 0)
  }
}
