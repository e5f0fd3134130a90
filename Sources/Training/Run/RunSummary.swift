/// What `summary.json` says.
public struct RunSummary: Encodable, Sendable {
  /// `completed`, or the rule that ended the run early.
  public var status: String
  public var ranks: Int
  public var nodes: Int
  public var batchSize: Int
  public var steps: Int
  public var epochs: Int
  /// Mean over the last epoch, but for steps without an update.
  public var trainLoss: Double?
  public var testLoss: Double?
  public var testAccuracy: Double?
  /// The epoch, counted from 1, with the lowest loss: on the test set or, without one, in training.
  public var bestEpoch: Int?
  public var bestLoss: Double?
  /// Median over epochs, data included, evaluation not.
  public var samplesPerSecond: Double
  public var seconds: Double
  /// Since the process started.
  public var timeToFirstStep: Double
  /// Parts of the time of training, mean over ranks.
  public var computeShare: Double
  public var communicationShare: Double
  public var dataShare: Double
  /// Of each rank.
  public var peakRssBytes: [Int]
  public var parameters: Int
  /// SHA-256 of all tensors' bytes in order: the data part of `model.safetensors`.
  public var parameterSha256: String
  /// Whether all ranks ended with these parameters, bit for bit.
  public var replicasEqual: Bool
  public var kernels: String
  public var algorithm: String
}
