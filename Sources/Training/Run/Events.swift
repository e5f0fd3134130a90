// The events of metrics.jsonl: one JSON object a line, and `event` says which.

/// The run has begun.
struct StartEvent: Encodable {
  let event = "start"
  var version: String
  var commit: String
  var ranks: Int
  /// Of each rank, where there is more than one.
  var threads: Int?
  var hosts: [String]
  var transport: String
  var kernels: String
  var algorithm: String
  var parameters: Int
  /// Parameters, gradients, optimizer, activations and workspace of the rank with the most rows.
  var memoryBytes: Int
  var trainSamples: Int
  var testSamples: Int?
  var steps: Int
  var batchSize: Int
  var shards: Int
  /// The checkpoint that the run goes on from, and the steps that it has.
  var checkpoint: String?
  var step: Int?
  var date: String
}

/// A step's update has been made.
struct StepEvent: Encodable {
  let event = "step"
  /// Steps made, this one included.
  var step: Int
  var epoch: Int
  /// Samples seen since the run's start.
  var samples: Int
  /// Mean over the batch, before the update.
  var loss: JSONNumber
  var learningRate: Float
  /// Since training began.
  var seconds: Double
  /// Since the last such event.
  var samplesPerSecond: Double
}

/// The model has been held against the test set.
struct EvaluationEvent: Encodable {
  let event = "evaluation"
  var step: Int
  var epoch: Int
  var loss: JSONNumber
  /// Where targets are class labels.
  var accuracy: Double?
  var seconds: Double
}

/// A checkpoint has become durable.
struct CheckpointEvent: Encodable {
  let event = "checkpoint"
  var step: Int
  var path: String
  var bytes: Int
  /// When that was seen, since training began.
  var seconds: Double
}

/// The group has chosen how to run allreduces of a size class.
struct AllreduceChoiceEvent: Encodable {
  let event = "allreduce-choice"
  var message: String
}

/// Something that a user should know.
struct WarningEvent: Encodable {
  let event = "warning"
  var message: String
}

/// The job has not gone on for longer than is allowed.
struct StallEvent: Encodable {
  let event = "stall"
  /// In which the rank that records it is.
  var step: Int
  /// Those for which the others wait.
  var ranks: [Int]
  var message: String
  /// Without progress.
  var seconds: Double
  /// Whether this ends the job.
  var ends: Bool
}

/// The run is over.
struct EndEvent: Encodable {
  let event = "end"
  var status: String
  var step: Int
  var seconds: Double
}
