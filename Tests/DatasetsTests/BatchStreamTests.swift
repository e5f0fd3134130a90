import Foundation
import Kernels
import Testing

@testable import Datasets

/// Samples that say their own number: two features, and a label or two values.
private final class NumberedDataset: Dataset {
  let count: Int
  let featureExtents = [2]
  let targets: TargetKind

  init(count: Int, hasLabels: Bool) {
    self.count = count
    targets = hasLabels ? .labels(classes: count) : .values(width: 2)
  }

  func copyFeatures(
    of sample: Int, into features: UnsafeMutablePointer<Float>, kernels: KernelSet
  ) {
    features[0] = Float(sample)
    features[1] = Float(sample) + 0.5
  }

  func label(of sample: Int) -> Int32 { Int32(sample) }

  func copyTargets(
    of sample: Int, into values: UnsafeMutablePointer<Float>, kernels: KernelSet
  ) {
    values[0] = -Float(sample)
    values[1] = Float(10 * sample)
  }

  func withContent(_ body: (UnsafeRawBufferPointer) -> Void) {}
}

@Suite("the batches of a run")
struct BatchStreamTests {
  private func stream(
    _ dataset: any Dataset, _ sampler: Sampler, _ partition: Partition, rank: Int,
    range: Range<Int>, fillsAhead: Bool = true
  ) -> BatchStream {
    BatchStream(
      dataset, sampler: sampler, partition: partition, rank: rank, range: range,
      instructions: .baseline, fillsAhead: fillsAhead)
  }

  /// The samples of a batch, after a check that features and targets belong together.
  private func samples(of batch: Batch, hasLabels: Bool) -> [UInt32] {
    #expect(batch.part(0..<batch.shards.count).inputs.rows == batch.rows)
    for shard in 0..<batch.shards.count {
      let part = batch.part(shard..<shard + 1)
      #expect(part.start..<part.start + part.rows == batch.shards.rows(of: shard))
      #expect(
        part.shards == ShardRows(first: batch.shards.first + shard, ends: [part.inputs.rows]))
      guard case .dense(let inputs) = part.inputs else {
        Issue.record("the inputs are sparse")
        return []
      }
      #expect(inputs.base == batch.features.base + 2 * part.start)
      #expect(inputs.columns == 2 && part.labels == batch.labels + part.start)
      #expect(part.values == batch.values.base + (hasLabels ? 0 : 2 * part.start))
    }
    return (0..<batch.rows).map { row in
      let sample = batch.features.base[2 * row]
      #expect(batch.features.base[2 * row + 1] == sample + 0.5)
      if hasLabels {
        #expect(batch.labels[row] == Int32(sample))
      } else {
        #expect(batch.values.base[2 * row] == -sample)
        #expect(batch.values.base[2 * row + 1] == 10 * sample)
      }
      return UInt32(sample)
    }
  }

  @Test(
    "ranks together get the sampler's order, over epochs with a short last batch",
    arguments: [1, 2, 3, 8], [true, false])
  func union(ranks: Int, fillsAhead: Bool) {
    // Odd numbers of ranks have targets of the other kind.
    let hasLabels = ranks % 2 == 0
    let dataset = NumberedDataset(count: 29, hasLabels: hasLabels)
    let sampler = Sampler(count: 29, batchSize: 12, seed: 4, shuffles: true)
    let partition = Partition(shards: 8, ranks: ranks)
    let streams = (0..<ranks).map {
      stream(
        dataset, sampler, partition, rank: $0, range: 0..<3 * sampler.batchesPerEpoch,
        fillsAhead: fillsAhead)
    }
    for epoch in 0..<3 {
      let order = sampler.order(epoch: epoch)
      for number in 0..<sampler.batchesPerEpoch {
        let positions = sampler.positions(ofBatch: number)
        var found: [UInt32] = []
        for (rank, stream) in streams.enumerated() {
          guard let batch = stream.next() else {
            Issue.record("the stream of rank \(rank) ends in epoch \(epoch)")
            return
          }
          #expect(batch.globalSize == positions.count)
          #expect(batch.shards == partition.rows(ofRank: rank, batchSize: positions.count))
          found += samples(of: batch, hasLabels: hasLabels)
        }
        #expect(found == Array(order[positions]), "epoch \(epoch), batch \(number)")
      }
    }
    for stream in streams {
      #expect(stream.next() == nil)
      #expect(stream.next() == nil)
    }
  }

  @Test(
    "a stream that begins within a run delivers what the whole run would", arguments: [true, false])
  func middle(fillsAhead: Bool) {
    let dataset = NumberedDataset(count: 20, hasLabels: true)
    let sampler = Sampler(count: 20, batchSize: 6, seed: 9, shuffles: true)
    let partition = Partition(shards: 4, ranks: 2)
    func batches(_ range: Range<Int>) -> [[UInt32]] {
      let stream = stream(
        dataset, sampler, partition, rank: 1, range: range, fillsAhead: fillsAhead)
      return range.map { _ in stream.next().map { samples(of: $0, hasLabels: true) } ?? [] }
    }
    #expect(batches(5..<11) == Array(batches(0..<12)[5..<11]))
    let none = stream(
      dataset, sampler, partition, rank: 0, range: 3..<3, fillsAhead: fillsAhead)
    #expect(none.next() == nil)
  }

  @Test(
    "the same buffers are used from beginning to end, and none is overwritten in use",
    arguments: [true, false])
  func reuse(fillsAhead: Bool) {
    let dataset = NumberedDataset(count: 64, hasLabels: true)
    let sampler = Sampler(count: 64, batchSize: 8, seed: 2, shuffles: true)
    let stream = stream(
      dataset, sampler, Partition(shards: 8, ranks: 1), rank: 0, range: 0..<80,
      fillsAhead: fillsAhead)
    var buffers: Set<ObjectIdentifier> = []
    var count = 0
    while let batch = stream.next() {
      buffers.insert(ObjectIdentifier(batch))
      let before = samples(of: batch, hasLabels: true)
      if count % 20 == 0 { Thread.sleep(forTimeInterval: 0.005) }
      #expect(samples(of: batch, hasLabels: true) == before)
      count += 1
    }
    #expect(count == 80)
    #expect(buffers.count <= (fillsAhead ? 2 : 1))
  }

  @Test("a stream that is dropped early ends its thread", arguments: [0, 1, 2, 5])
  func dropped(taken: Int) {
    weak var dataset: NumberedDataset?
    do {
      let owned = NumberedDataset(count: 1000, hasLabels: true)
      dataset = owned
      let sampler = Sampler(count: 1000, batchSize: 10, seed: 2, shuffles: true)
      let stream = stream(
        owned, sampler, Partition(shards: 1, ranks: 1), rank: 0, range: 0..<1_000_000)
      for _ in 0..<taken { #expect(stream.next() != nil) }
    }
    // The thread holds the data set as long as it lives.
    let end = Date(timeIntervalSinceNow: 10)
    while dataset != nil, Date() < end { Thread.sleep(forTimeInterval: 0.001) }
    #expect(dataset == nil)
  }

  @Test("a rank may have no rows of a batch that is smaller than the shards")
  func emptyPart() {
    let dataset = NumberedDataset(count: 3, hasLabels: true)
    let sampler = Sampler(count: 3, batchSize: 8, seed: 2, shuffles: false)
    let partition = Partition(shards: 8, ranks: 8)
    let rows = (0..<8).map { rank -> [UInt32] in
      let stream = stream(dataset, sampler, partition, rank: rank, range: 0..<1)
      guard let batch = stream.next() else { return [99] }
      #expect(batch.globalSize == 3)
      return samples(of: batch, hasLabels: true)
    }
    #expect(rows.flatMap { $0 } == [0, 1, 2])
    #expect(rows.filter(\.isEmpty).count == 5)
  }
}
