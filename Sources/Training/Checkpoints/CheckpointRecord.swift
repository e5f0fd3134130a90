import Foundation

/// What a checkpoint says beside its tensors: where the run is, and what it needs to go on as if it
/// had never stopped.
public struct CheckpointRecord: Codable, Equatable, Sendable {
  /// Steps made.
  public var step: Int
  /// Epochs completed.
  public var epoch: Int
  /// Batches of the epoch that have been used.
  public var positionInEpoch: Int
  public var seed: UInt64
  public var shards: Int
  /// The resolved configuration, in YAML.
  public var configuration: String
  /// What is done to features before the network sees them.
  public var preprocessing: String
  /// Name of the kernel set.
  public var kernels: String
  /// The run's numbers so far, in JSON.
  public var metrics: String
  /// Of the program that wrote it.
  public var version: String
  public var commit: String
  public var ranks: Int
  /// What the run learns from and is held against.
  public internal(set) var data: DataIdentity?
  /// The best checkpoint so far, this one included; the store keeps it up.
  public var best: Best?

  /// A checkpoint and how good its model was.
  public struct Best: Codable, Equatable, Sendable {
    public var step: Int
    /// Smaller is better.
    public var score: Double
  }

  public init(
    step: Int, epoch: Int, positionInEpoch: Int, seed: UInt64, shards: Int, configuration: String,
    preprocessing: String, kernels: String, metrics: String, version: String, commit: String,
    ranks: Int
  ) {
    self.step = step
    self.epoch = epoch
    self.positionInEpoch = positionInEpoch
    self.seed = seed
    self.shards = shards
    self.configuration = configuration
    self.preprocessing = preprocessing
    self.kernels = kernels
    self.metrics = metrics
    self.version = version
    self.commit = commit
    self.ranks = ranks
  }
}
