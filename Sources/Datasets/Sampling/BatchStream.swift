import Foundation
import Kernels

/// The batches of a run, one after the other, each made ready by a thread of its own while the one
/// before is being worked on.
public final class BatchStream {
  /// Where in the run to begin and to end, in batches counted from the run's start.
  public let range: Range<Int>

  private let shared: Shared
  private var current: Batch?

  /// - Parameters:
  ///   - sampler: of the data set's samples, or of so many of the first ones.
  ///   - range: batches to deliver; batch b is number b % batchesPerEpoch of epoch
  ///   b / batchesPerEpoch.
  public init(
    _ dataset: any Dataset, sampler: Sampler, partition: Partition, rank: Int, range: Range<Int>,
    instructions: InstructionSet
  ) {
    precondition(sampler.count <= dataset.count)
    self.range = range
    let rows = partition.rowsOfLargestBatch(ofRank: rank, sampler: sampler)
    let shared = Shared(
      empty: (0..<2).map { _ in
        Batch(for: dataset, partition: partition, rank: rank, maximumRows: rows)
      })
    self.shared = shared
    let thread = Thread {
      let kernels = KernelSet(instructions)
      var epoch = -1
      var order: [UInt32] = []
      for number in range {
        guard let batch = shared.takeEmpty() else { return }
        if number / sampler.batchesPerEpoch != epoch {
          epoch = number / sampler.batchesPerEpoch
          order = sampler.order(epoch: epoch)
        }
        let positions = sampler.positions(ofBatch: number % sampler.batchesPerEpoch)
        batch.fill(from: dataset, samples: order[positions], kernels: kernels)
        shared.give(filled: batch)
      }
      shared.give(filled: nil)
    }
    thread.name = "lockstep-data"
    thread.start()
  }

  deinit { shared.stop() }

  /// The next batch, nil after the last. It is valid until the next call.
  public func next() -> Batch? {
    if let current { shared.give(empty: current) }
    current = shared.takeFilled()
    return current
  }

  /// What the two threads hand to each other.
  private final class Shared: @unchecked Sendable {
    private let condition = NSCondition()
    private var empty: [Batch]
    private var filled: [Batch] = []
    private var isFinished = false
    private var isStopped = false

    init(empty: [Batch]) { self.empty = empty }

    func takeEmpty() -> Batch? {
      condition.withLock {
        while empty.isEmpty && !isStopped { condition.wait() }
        return isStopped ? nil : empty.removeLast()
      }
    }

    func give(filled batch: Batch?) {
      condition.withLock {
        if let batch { filled.append(batch) } else { isFinished = true }
        condition.broadcast()
      }
    }

    func takeFilled() -> Batch? {
      condition.withLock {
        while filled.isEmpty && !isFinished { condition.wait() }
        return filled.isEmpty ? nil : filled.removeFirst()
      }
    }

    func give(empty batch: Batch) {
      condition.withLock {
        empty.append(batch)
        condition.broadcast()
      }
    }

    func stop() {
      condition.withLock {
        isStopped = true
        condition.broadcast()
      }
    }
  }
}

extension Partition {
  /// The most rows that `rank` has in any batch. (A short batch can give a rank more than a full
  /// one: 11 samples in 8 shards give shard 2 two, 12 samples give it one.)
  public func rowsOfLargestBatch(ofRank rank: Int, sampler: Sampler) -> Int {
    let full = sampler.positions(ofBatch: 0).count
    let last = sampler.positions(ofBatch: sampler.batchesPerEpoch - 1).count
    return max(
      samples(ofRank: rank, batchSize: full).count, samples(ofRank: rank, batchSize: last).count)
  }
}
