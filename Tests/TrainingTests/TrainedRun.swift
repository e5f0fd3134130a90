import Collective
import Foundation
import TestSupport

@testable import Training

/// A run on loopback ranks, and what it left.
final class TrainedRun {
  /// Of each rank.
  let summaries: [RunSummary]
  /// The run directory.
  let path: String
  private let folder: TemporaryDirectory

  /// - Throws: what `train` throws.
  init(file: String, settings: [String] = [], ranks: Int) throws {
    folder = try TemporaryDirectory()
    path = folder.path + "/run"
    // Each loopback rank is a node of its own: to measure links would take longer than to train.
    let settings = ["collective.tuning=rules"] + settings + ["output=\(path)"]
    summaries = try TrainedRun.train(file: file, settings: settings, ranks: ranks)
  }

  /// Trains a configuration given as text.
  convenience init(yaml: String, settings: [String] = [], ranks: Int) throws {
    let source = try TemporaryDirectory()
    try self.init(
      file: try source.file("test.yaml", yaml), settings: settings, ranks: ranks)
  }

  /// What every rank says of the replicas.
  var areReplicasEqual: Bool { summaries.allSatisfy { $0.replicasEqual } }

  static func train(file: String, settings: [String], ranks: Int) throws -> [RunSummary] {
    try LoopbackTransport.run(ranks: ranks) { transport in
      let world = try World(transport, host: "test", carrier: "loopback")
      let program = Program(version: "test", commit: "none", environment: [:], isQuiet: true)
      let configuration = try readConfiguration(
        file: file, settings: settings, world: world, program: program)
      return try Training.train(configuration, world: world, program: program)
    }
  }

  /// The lines of metrics.jsonl.
  func events() throws -> [[String: Any]] {
    try String(contentsOfFile: path + "/metrics.jsonl", encoding: .utf8).split(separator: "\n")
      .map { try JSONSerialization.jsonObject(with: Data($0.utf8)) as! [String: Any] }
  }

  func events(_ kind: String) throws -> [[String: Any]] {
    try events().filter { $0["event"] as? String == kind }
  }

  func stepLosses() throws -> [Double] { try events("step").map { $0["loss"] as! Double } }

  func bytes(_ name: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)"))
  }
}
