import Kernels

/// One rank's part of a global batch, in memory that is used again and again.
public final class Batch: @unchecked Sendable {  // filled by one thread, then handed to another
  /// rows x featureCount, row-major; none where the data set is sparse.
  public let features: AlignedBuffer
  /// One per row, where targets are labels.
  public let labels: UnsafeMutablePointer<Int32>
  /// rows x width, row-major, where targets are values.
  public let values: AlignedBuffer

  /// This rank's rows.
  public private(set) var shards = ShardRows(undivided: 0)
  /// Samples of the whole batch, on all ranks.
  public private(set) var globalSize = 0
  /// The position of this rank's first sample within the whole batch.
  public private(set) var firstPosition = 0

  /// Samples that are on their way to the cache while one is copied: they lie anywhere in memory.
  private static let ahead = 2

  private let sparse: SparseBatch?
  private let featureCount: Int
  private let width: Int
  private let partition: Partition
  private let rank: Int
  private let maximumRows: Int

  /// - Parameters:
  ///   - rank: whose part of every batch it is.
  ///   - maximumRows: in that part.
  public init(for dataset: any Dataset, partition: Partition, rank: Int, maximumRows: Int) {
    self.partition = partition
    self.rank = rank
    self.maximumRows = maximumRows
    let featureCount = dataset.featureCount
    self.featureCount = featureCount
    sparse = dataset.sparseFeatures.map {
      SparseBatch(for: $0, columnCount: featureCount, maximumRows: maximumRows)
    }
    features = AlignedBuffer(count: sparse == nil ? maximumRows * featureCount : 0)
    labels = .allocate(capacity: maximumRows)
    labels.initialize(repeating: 0, count: maximumRows)
    if case .values(let width) = dataset.targets { self.width = width } else { width = 0 }
    values = AlignedBuffer(count: maximumRows * width)
  }

  deinit { labels.deallocate() }

  public var rows: Int { shards.rows }

  /// The rows of a range of this rank's shards.
  public func part(_ range: Range<Int>) -> BatchPart {
    let rows = shards.part(range)
    let start = range.isEmpty ? 0 : shards.rows(of: range.lowerBound).lowerBound
    let inputs: AnyMatrix =
      if let sparse { .sparse(sparse.matrix(rows: start..<start + rows.rows)) } else {
        .dense(
          Matrix(features.base + start * featureCount, rows: rows.rows, columns: featureCount))
      }
    return BatchPart(
      inputs: inputs, labels: labels + start, values: values.base + start * width, shards: rows,
      start: start)
  }

  /// Copies this rank's samples of a global batch.
  /// - Parameters:
  ///   - samples: the whole global batch, in the order of visit.
  public func fill(
    from dataset: any Dataset, samples: ArraySlice<UInt32>, kernels: KernelSet
  ) {
    let mine = partition.samples(ofRank: rank, batchSize: samples.count)
    precondition(mine.count <= maximumRows)
    // Nearly all batches of a run are as large as the one before.
    if samples.count != globalSize {
      shards = partition.rows(ofRank: rank, batchSize: samples.count)
      globalSize = samples.count
    }
    firstPosition = mine.lowerBound
    let own = samples.dropFirst(mine.lowerBound).prefix(mine.count).lazy.map { Int($0) }
    let elements = dataset.sparseFeatures
    sparse?.removeAll()
    for (row, sample) in own.enumerated() {
      if row + Batch.ahead < own.count {
        dataset.prefetchFeatures(of: own[own.startIndex + row + Batch.ahead])
      }
      if let sparse, let elements {
        sparse.append(sample, of: elements)
      } else {
        dataset.copyFeatures(
          of: sample, into: features.base + row * featureCount, kernels: kernels)
      }
      if case .values(let width) = dataset.targets {
        dataset.copyTargets(of: sample, into: values.base + row * width, kernels: kernels)
      }
    }
    // By themselves: each is a cache miss, and the CPU waits for many at a time.
    if case .labels = dataset.targets {
      for (row, sample) in own.enumerated() { labels[row] = dataset.label(of: sample) }
    }
  }
}

/// Some rows of a batch, in the batch's memory.
public struct BatchPart {
  /// rows x featureCount
  public let inputs: AnyMatrix
  /// One per row, where targets are labels.
  public let labels: UnsafeMutablePointer<Int32>
  /// rows x width, row-major, where targets are values.
  public let values: UnsafeMutablePointer<Float>
  public let shards: ShardRows
  /// Its first row within this rank's part of the batch.
  public let start: Int

  public var rows: Int { inputs.rows }
}
