import Kernels

/// What one forward and backward pass works with.
public struct Pass {
  public enum Mode: Sendable {
    /// Statistics are the batch's, and dropout drops.
    case training
    /// Every sample's outputs are its own, and nothing is random.
    case evaluation
  }

  /// Whether several passes go over parts of a batch with the same weights.
  public enum WeightUse: Sendable {
    /// Nothing is known of other passes.
    case once
    /// The first of several. What a layer packs of its weights, later ones use again.
    case first
    /// No weight has changed since the last `first`.
    case again
  }

  public let kernels: KernelSet
  /// Which rows are which shard's.
  public let shards: ShardRows
  public let mode: Mode
  /// Of all random numbers of the run.
  public let seed: UInt64
  /// Which step of the run this is, counted from 0.
  public let step: Int
  /// The position of row 0 within the whole batch: what is random about row i is a function of the
  /// seed, the step and `firstSample + i`, never of the rank.
  public let firstSample: Int
  /// Rows of the whole batch, on all ranks.
  public let globalRows: Int
  /// Adds up over the ranks that share the batch.
  public let batchSum: any BatchSum
  public let weightUse: WeightUse

  /// A pass over rows of a batch that other ranks share.
  public init(
    kernels: KernelSet, shards: ShardRows, mode: Mode, seed: UInt64, step: Int,
    firstSample: Int, globalRows: Int, batchSum: any BatchSum, weightUse: WeightUse = .once
  ) {
    self.kernels = kernels
    self.shards = shards
    self.mode = mode
    self.seed = seed
    self.step = step
    self.firstSample = firstSample
    self.globalRows = globalRows
    self.batchSum = batchSum
    self.weightUse = weightUse
  }

  /// A pass of one rank on its own, or one whose rows have nothing to do with each other.
  public init(kernels: KernelSet, shards: ShardRows, mode: Mode) {
    self.init(
      kernels: kernels, shards: shards, mode: mode, seed: 0, step: 0, firstSample: 0,
      globalRows: shards.rows, batchSum: NoOtherRanks.shared)
  }
}

/// How a layer gets a sum over the whole global batch, whoever holds the other samples.
///
/// A rank adds up its own rows over the shard tree, which gives the sums of its complete subtrees, each
/// in a plane; this adds them along the rest of the same tree.
public protocol BatchSum: AnyObject {
  /// Adds the planes of all ranks elementwise and leaves the sum in the first plane on all ranks, bit
  /// for bit equal. Collective: all ranks that share a batch call it as often, with as many values.
  /// - Parameters:
  ///   - plane: this rank's first.
  ///   - stride: elements from one plane to the next.
  func sum(_ plane: UnsafeMutableBufferPointer<Float>, stride: Int) throws
}

extension Pass {
  /// Adds up `width` numbers over the whole global batch, whoever holds its samples. Collective.
  /// - Parameter fill: writes this rank's sums to the planes that `shards` speaks of, as
  ///   `kernels.sumRows(_:over:into:)` does.
  /// - Returns: the sums, alike on all ranks, until the next ones are asked for.
  /// - Throws: what `batchSum` throws.
  public func sumOverBatch(
    width: Int,
    _ fill: (_ shards: ShardRows, _ sums: UnsafeMutablePointer<Float>) -> Void
  ) throws -> UnsafeMutablePointer<Float> {
    let shards = shards.inPlanes(stride: width)
    let sums = kernels.reserveBatchSums(shards.planeCount * width)
    fill(shards, sums)
    try batchSum.sum(UnsafeMutableBufferPointer(start: sums, count: width), stride: width)
    return sums
  }
}

/// One rank holds the whole batch.
public final class NoOtherRanks: BatchSum, Sendable {
  static let shared = NoOtherRanks()
  public init() {}
  public func sum(_ plane: UnsafeMutableBufferPointer<Float>, stride: Int) {}
}
