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

  /// Does something to a rank's trainer before the first step.
  typealias Preparation = @Sendable (_ trainer: Trainer, _ rank: Int) -> Void

  /// - Throws: what `train` throws.
  init(
    file: String, settings: [String] = [], ranks: Int, resume: ResumeRequest = .none,
    prepare: @escaping Preparation = { _, _ in }
  ) throws {
    folder = try TemporaryDirectory()
    path = folder.path + "/run"
    // Each loopback rank is a node of its own: to measure links would take longer than to train.
    let settings = ["collective.tuning=rules"] + settings + ["output=\(path)"]
    summaries = try TrainedRun.train(
      file: file, settings: settings, ranks: ranks, resume: resume, prepare: prepare)
  }

  /// Trains a configuration given as text.
  convenience init(
    yaml: String, settings: [String] = [], ranks: Int, resume: ResumeRequest = .none,
    prepare: @escaping Preparation = { _, _ in }
  ) throws {
    let source = try TemporaryDirectory()
    try self.init(
      file: try source.file("test.yaml", yaml), settings: settings, ranks: ranks, resume: resume,
      prepare: prepare)
  }

  /// The failure that ends a run on all ranks alike.
  static func failure(
    yaml: String, settings: [String] = [], ranks: Int, prepare: @escaping Preparation = { _, _ in }
  ) throws -> JointFailure {
    do {
      _ = try TrainedRun(yaml: yaml, settings: settings, ranks: ranks, prepare: prepare)
    } catch let failure as JointFailure {
      return failure
    }
    throw RunEndedWell()
  }

  /// What every rank says of the replicas.
  var areReplicasEqual: Bool { summaries.allSatisfy { $0.replicasEqual } }

  /// - Parameter interruption: of each rank.
  static func train(
    file: String, settings: [String], ranks: Int, environment: [String: String] = [:],
    resume: ResumeRequest = .none,
    interruption: @escaping @Sendable (Int) -> any Interruption = { _ in NoInterruption() },
    prepare: @escaping Preparation = { _, _ in }
  ) throws -> [RunSummary] {
    try LoopbackTransport.run(ranks: ranks) { transport in
      let world = try World(
        transport, host: host(ofRank: transport.rank), carrier: "loopback")
      let program = Program(
        version: "test", commit: "none", environment: environment, isQuiet: true)
      let configuration = try readConfiguration(
        file: file, settings: settings, world: world, program: program)
      return try Training.train(
        configuration, world: world, program: program, resume: resume,
        interruption: interruption(transport.rank)
      ) { prepare($0, transport.rank) }
    }
  }

  /// The host that a rank says it runs on.
  static func host(ofRank rank: Int) -> String { "host\(rank)" }

  /// The lines of metrics.jsonl.
  func events() throws -> [[String: Any]] { try TrainedRun.events(in: path) }

  static func events(in path: String) throws -> [[String: Any]] {
    try String(contentsOfFile: path + "/metrics.jsonl", encoding: .utf8).split(separator: "\n")
      .map { try JSONSerialization.jsonObject(with: Data($0.utf8)) as! [String: Any] }
  }

  /// The file of a checkpoint.
  func checkpoint(_ step: Int) -> String {
    CheckpointStore(runDirectory: path).path(step: step)
  }

  func events(_ kind: String) throws -> [[String: Any]] {
    try events().filter { $0["event"] as? String == kind }
  }

  func stepLosses() throws -> [Double] { try events("step").map { $0["loss"] as! Double } }

  func bytes(_ name: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)"))
  }
}

/// A run that was to fail did not.
struct RunEndedWell: Error {}
