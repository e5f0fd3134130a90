import Foundation

// The events of metrics.jsonl: one JSON object a line, and `event` says which.

/// The run has begun.
struct StartEvent: Encodable {
  let event = "start"
  var version: String
  var commit: String
  var ranks: Int
  var hosts: [String]
  var transport: String
  var kernels: String
  var algorithm: String
  var parameters: Int
  var trainSamples: Int
  var testSamples: Int?
  var steps: Int
  var batchSize: Int
  var shards: Int
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

/// Something that a user should know.
struct WarningEvent: Encodable {
  let event = "warning"
  var message: String
}

/// The run is over.
struct EndEvent: Encodable {
  let event = "end"
  var status: String
  var step: Int
  var seconds: Double
}

/// A number that JSON may not be able to hold: NaN and infinities become null.
struct JSONNumber: Encodable, Equatable {
  var value: Double

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    if value.isFinite { try container.encode(value) } else { try container.encodeNil() }
  }
}

/// What `summary.json` says.
public struct RunSummary: Encodable, Sendable {
  /// `completed`, or the rule that ended the run early.
  public var status: String
  public var ranks: Int
  public var nodes: Int
  public var batchSize: Int
  public var steps: Int
  public var epochs: Int
  /// Mean over the last epoch.
  public var trainLoss: Double?
  public var testLoss: Double?
  public var testAccuracy: Double?
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

extension JSONEncoder {
  /// Keys in kebab-case and in alphabetical order.
  static func lockstep(pretty: Bool = false) -> JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if pretty { encoder.outputFormatting.insert(.prettyPrinted) }
    encoder.keyEncodingStrategy = .custom { path in
      KebabKey(stringValue: KebabKey.kebab(path.last!.stringValue))
    }
    return encoder
  }
}

private struct KebabKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }

  init(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }

  /// `testAccuracy` is `test-accuracy`; `parameterSha256` is `parameter-sha256`.
  static func kebab(_ name: String) -> String {
    name.reduce(into: "") { result, character in
      if character.isUppercase { result += "-" }
      result += character.lowercased()
    }
  }
}
