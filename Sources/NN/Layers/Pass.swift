import Kernels

/// What one forward and backward pass works with.
public struct Pass {
  public enum Mode: Sendable {
    /// Statistics are the batch's, and dropout drops.
    case training
    /// Every sample's outputs are its own, and nothing is random.
    case evaluation
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

  /// A pass over rows of a batch that other ranks share.
  public init(
    kernels: KernelSet, shards: ShardRows, mode: Mode, seed: UInt64, step: Int,
    firstSample: Int, globalRows: Int, batchSum: any BatchSum
  ) {
    self.kernels = kernels
    self.shards = shards
    self.mode = mode
    self.seed = seed
    self.step = step
    self.firstSample = firstSample
    self.globalRows = globalRows
    self.batchSum = batchSum
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
/// A rank adds up its own rows over the shard tree, which gives its subtrees' sum; this adds the
/// ranks' sums along the rest of the same tree.
public protocol BatchSum: AnyObject {
  /// Adds every rank's `values` elementwise and leaves the sum on all ranks, bit for bit equal.
  /// Collective: all ranks that share a batch call it as often, with as many values.
  func sum(_ values: UnsafeMutableBufferPointer<Float>) throws
}

/// One rank holds the whole batch.
public final class NoOtherRanks: BatchSum, Sendable {
  static let shared = NoOtherRanks()
  public init() {}
  public func sum(_ values: UnsafeMutableBufferPointer<Float>) {}
}
