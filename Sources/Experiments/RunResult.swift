import Foundation

/// What an experiment wants to know of a run: a part of its `summary.json`.
public struct RunResult: Decodable, Equatable, Sendable {
  public var ranks: Int
  public var batchSize: Int
  public var samplesPerSecond: Double
  public var communicationShare: Double
  public var testAccuracy: Double?
  public var replicasEqual: Bool
  public var parameterHash: String

  private enum CodingKeys: String, CodingKey {
    case ranks
    case batchSize = "batch-size"
    case samplesPerSecond = "samples-per-second"
    case communicationShare = "communication-share"
    case testAccuracy = "test-accuracy"
    case replicasEqual = "replicas-equal"
    case parameterHash = "parameter-sha256"
  }

  public init(
    ranks: Int, batchSize: Int, samplesPerSecond: Double, communicationShare: Double,
    testAccuracy: Double?, replicasEqual: Bool, parameterHash: String
  ) {
    self.ranks = ranks
    self.batchSize = batchSize
    self.samplesPerSecond = samplesPerSecond
    self.communicationShare = communicationShare
    self.testAccuracy = testAccuracy
    self.replicasEqual = replicasEqual
    self.parameterHash = parameterHash
  }

  /// - Throws: `UnreadableSummary` if the file is missing, malformed, or of another number of
  ///   ranks.
  init(summaryPath path: String, ranks: Int) throws {
    guard let data = try? Data(contentsOf: URL(fileURLWithPath: path)) else {
      throw UnreadableSummary(path: path, reason: "there is no such file, or it cannot be read")
    }
    do {
      self = try JSONDecoder().decode(RunResult.self, from: data)
    } catch let error as DecodingError {
      throw UnreadableSummary(path: path, reason: RunResult.reason(error))
    }
    guard samplesPerSecond > 0 else {
      throw UnreadableSummary(path: path, reason: "samples-per-second is \(samplesPerSecond)")
    }
    guard self.ranks == ranks else {
      throw UnreadableSummary(
        path: path, reason: "it is of \(self.ranks) ranks, and \(ranks) were started")
    }
  }

  private static func reason(_ error: DecodingError) -> String {
    switch error {
    case .keyNotFound(let key, _): "'\(key.stringValue)' is missing"
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      context.codingPath.last.map { "'\($0.stringValue)' is not what it should be" }
        ?? "it is not an object"
    default: "it is not JSON"
    }
  }
}

/// A run has left no usable summary.
public struct UnreadableSummary: Error, CustomStringConvertible {
  public var path: String
  public var reason: String
  public var description: String { "\(path): \(reason)" }
}
