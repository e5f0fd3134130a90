import Foundation
import MPI
import NN
import Collective
import Training

// Runs in which the last rank's numbers, or its program, go wrong.

/// 320 samples in batches of 64: five steps an epoch.
private let classification = """
  data: {format: synthetic, features: 20, classes: 5, train: {samples: 320}}
  model: [{dense: 17}, relu, {dense: 5}]
  optimizer: {learning-rate: 0.05}
  training: {epochs: 3, batch-size: 64, shards: 16, check-replicas: 2}
  collective: {tuning: rules}
  """

/// A bit of a parameter flips on the last rank behind the third update: the check after step 4 names it.
func flipCase(_ world: Communicator) throws {
  var updates = 0
  let failure = try failure(of: world) { replica, part in
    guard part == .update else { return }
    updates += 1
    guard updates == 3 else { return }
    let element = replica.network.parameters.base + 5
    element.pointee = Float(bitPattern: element.pointee.bitPattern ^ 1 << 22)
  }
  let culprit = "rank \(world.size - 1) on \(Session.processorName)"
  try expect(failure.hasPrefix("after step 4 "), failure)
  if world.size > 2 {
    try expect(failure.contains("\(culprit) differs from the other \(world.size - 1) "), failure)
  } else {
    try expect(failure.contains("rank 0 on \(Session.processorName); \(culprit)."), failure)
  }
}

/// The gradient of the last rank's outputs is not a number in step 3.
func spoilCase(_ world: Communicator) throws {
  var updates = 0
  let failure = try failure(of: world) { replica, part in
    if part == .update { updates += 1 }
    guard part == .loss, updates == 2 else { return }
    replica.network.outputGradient(rows: 1).base[0] = .nan
  }
  let culprit = "rank \(world.size - 1) on \(Session.processorName)"
  try expect(failure.hasPrefix("step 3 (epoch 1, batch 3: samples 129 to 192 "), failure)
  try expect(
    failure.contains("it begins on \(culprit) with the gradient of 2.dense.bias: "), failure)
}

/// A layer of the last rank throws in its third forward pass: the job ends.
func layerCase(_ world: Communicator) throws {
  var passes = 0
  _ = try failure(of: world) { _, part in
    guard part == .forward(stage: 0) else { return }
    passes += 1
    if passes == 3 { throw DeliberateError() }
  }
}

/// Trains, and does something on the last rank at the end of each part of a step.
/// - Returns: how the run failed, as all ranks know it.
private func failure(
  of world: Communicator, _ fault: @escaping (Replica, StepPart) throws -> Void
) throws -> String {
  do {
    try trainInPassing(classification, world) { trainer in
      guard world.rank == world.size - 1 else { return }
      let replica = trainer.replica
      replica.ended = { [unowned replica] in try fault(replica, $0) }
    }
  } catch let failure as JointFailure {
    try expect(failure.exitCode == ExitStatus.diverged, "\(failure.exitCode)")
    return failure.description
  }
  throw CaseFailure(description: "the run ended well")
}

/// Trains, and leaves nothing behind.
/// - Parameters:
///   - configuration: YAML, without an output.
///   - prepare: called before the first step.
func trainInPassing(
  _ configuration: String, _ world: Communicator, prepare: (Trainer) -> Void
) throws {
  let folder = FileManager.default.temporaryDirectory.appending(
    path: "lockstep-case-\(getpid())", directoryHint: .isDirectory)
  defer { try? FileManager.default.removeItem(at: folder) }
  let configuration = try TrainingConfiguration(
    yaml: configuration, name: "case.yaml", settings: ["output=\(folder.path)"])
  let ranks = try World(
    MPITransport(world), host: Session.processorName, carrier: Session.libraryVersion)
  let program = Program(version: "case", commit: "none", environment: [:], isQuiet: true)
  _ = try train(configuration, world: ranks, program: program, prepare: prepare)
}
