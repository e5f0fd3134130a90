import CCPU
import Foundation
import Kernels

/// The batches of a run, one after the other, each made ready by a thread of its own while the one
/// before is being worked on - unless that thread had to share the only processor: then by the
/// caller.
public final class BatchStream {
  /// Where in the run to begin and to end, in batches counted from the run's start.
  public let range: Range<Int>

  private enum Filling {
    case ahead(Shared, current: Batch?)
    case byCaller(BatchFiller, Batch)
  }
  private var filling: Filling

  /// - Parameters:
  ///   - sampler: of the data set's samples, or of so many of the first ones.
  ///   - range: batches to deliver; batch b is number b % batchesPerEpoch of epoch
  ///   b / batchesPerEpoch.
  ///   - fillsAhead: whether a thread of its own fills them.
  public init(
    _ dataset: any Dataset, sampler: Sampler, partition: Partition, rank: Int, range: Range<Int>,
    instructions: InstructionSet, fillsAhead: Bool = CCPU_usableProcessorCount() > 1
  ) {
    precondition(sampler.count <= dataset.count)
    self.range = range
    let rows = partition.rowsOfLargestBatch(ofRank: rank, sampler: sampler)
    let batches = (0..<(fillsAhead ? 2 : 1)).map { _ in
      Batch(for: dataset, partition: partition, rank: rank, maximumRows: rows)
    }
    let filler = BatchFiller(
      of: dataset, sampler: sampler, range: range, instructions: instructions)
    guard fillsAhead else {
      filling = .byCaller(filler, batches[0])
      return
    }
    let shared = Shared(empty: batches)
    filling = .ahead(shared, current: nil)
    let thread = Thread {
      while let batch = shared.takeEmpty(), filler.fill(batch) { shared.give(filled: batch) }
      shared.give(filled: nil)
    }
    thread.name = "lockstep-data"
    thread.start()
  }

  deinit {
    if case .ahead(let shared, _) = filling { shared.stop() }
  }

  /// The next batch, nil after the last. It is valid until the next call.
  public func next() -> Batch? {
    switch filling {
    case .ahead(let shared, let current):
      if let current { shared.give(empty: current) }
      let next = shared.takeFilled()
      filling = .ahead(shared, current: next)
      return next
    case .byCaller(let filler, let batch):
      return filler.fill(batch) ? batch : nil
    }
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

/// Fills one batch of a run after the other. One thread uses it, which need not be its maker's.
private final class BatchFiller: @unchecked Sendable {
  private let dataset: any Dataset
  private let sampler: Sampler
  private let kernels: KernelSet
  private var next: Int
  private let end: Int
  private var epoch = -1
  private var order: [UInt32] = []

  init(
    of dataset: any Dataset, sampler: Sampler, range: Range<Int>, instructions: InstructionSet
  ) {
    self.dataset = dataset
    self.sampler = sampler
    kernels = KernelSet(instructions)
    next = range.lowerBound
    end = range.upperBound
  }

  /// False after the last.
  func fill(_ batch: Batch) -> Bool {
    guard next < end else { return false }
    if next / sampler.batchesPerEpoch != epoch {
      epoch = next / sampler.batchesPerEpoch
      order = sampler.order(epoch: epoch)
    }
    let positions = sampler.positions(ofBatch: next % sampler.batchesPerEpoch)
    batch.fill(from: dataset, samples: order[positions], kernels: kernels)
    next += 1
    return true
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
