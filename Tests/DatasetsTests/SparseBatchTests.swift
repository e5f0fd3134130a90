import Kernels
import TestSupport
import Testing

@testable import Datasets

@Suite("batches of sparse samples")
struct SparseBatchTests {
  /// Sample s has s % 5 features, of values that say s.
  private func dataset(count: Int) throws -> LibSVMDataset {
    let lines = (0..<count).map { sample in
      "\(sample % 3)"
        + (0..<sample % 5).map { " \($0 * 3 + sample % 3 + 1):\(sample + 1).5" }.joined()
    }
    let folder = try TemporaryDirectory()
    return try LibSVMDataset(
      path: try folder.file("data", Array(lines.joined(separator: "\n").utf8)), indexBase: 1,
      features: 20, labels: .classes)
  }

  private func dense(_ x: SparseMatrix) -> [[Float]] {
    (0..<x.rows).map { i in
      var row = [Float](repeating: 0, count: x.columns)
      for k in x.elements(of: i) { row[Int(x.columnIndices[k])] += x.values[k] }
      return row
    }
  }

  @Test("ranks and shards get their samples, in memory that is used again", arguments: [1, 2, 4])
  func shards(ranks: Int) throws {
    let dataset = try dataset(count: 37)
    let sampler = Sampler(count: 37, batchSize: 16, seed: 3, shuffles: true)
    let partition = Partition(shards: 8, ranks: ranks)
    for rank in 0..<ranks {
      let stream = BatchStream(
        dataset, sampler: sampler, partition: partition, rank: rank,
        range: 0..<2 * sampler.batchesPerEpoch, instructions: .baseline)
      for number in 0..<2 * sampler.batchesPerEpoch {
        let order = sampler.order(epoch: number / sampler.batchesPerEpoch)
        let positions = sampler.positions(ofBatch: number % sampler.batchesPerEpoch)
        let mine = partition.samples(ofRank: rank, batchSize: positions.count)
        let samples = order[positions][(positions.lowerBound + mine.lowerBound)...].prefix(
          mine.count)
        let batch = try #require(stream.next())
        #expect(batch.features.count == 0)
        for shard in 0..<batch.shards.count {
          let part = batch.part(shard..<shard + 1)
          guard case .sparse(let x) = part.inputs else {
            Issue.record("the inputs are dense")
            return
          }
          let expected = samples.dropFirst(part.start).prefix(part.rows).map { Int($0) }
          #expect(dense(x) == expected.map { dataset.features(of: $0) })
          #expect((0..<part.rows).map { part.labels[$0] } == expected.map { dataset.label(of: $0) })
          #expect(x.columns == 20)
        }
      }
    }
  }

  @Test("a batch has room for the samples with the most features, and for no more")
  func room() throws {
    let dataset = try dataset(count: 13)
    let features = try #require(dataset.sparseFeatures)
    // Lengths are 0 1 2 3 4, twice, and 0 1 2.
    #expect(
      [0, 1, 2, 3, 4, 5, 13, 20].map(features.mostElements) == [0, 4, 8, 11, 14, 16, 23, 23])
    #expect(dataset.batchBytes(ofRows: 3) == Double(11 * 8 + 4 * 8))
    #expect(dataset.residentBytes == Double(23 * 8 + 14 * 8))
  }
}
