import Collective
import NN

extension Replica {
  /// All that a checkpoint holds of it: what is learnt, what layers remember, what the optimizer
  /// remembers.
  var tensors: [TensorGroup] {
    [TensorGroup(network.parameters), TensorGroup(network.state)]
      + optimizer.states.map { TensorGroup(prefix: "optimizer.\($0.name).", $0.slab) }
  }

  /// Whether none of it is NaN or infinite.
  var isFinite: Bool {
    tensors.allSatisfy { kernels.isFinite(UnsafeBufferPointer($0.slab.tensors)) }
  }
}

extension Trainer {
  /// What a checkpoint says beside its tensors.
  /// - Parameter progress: as of the last step's end.
  func record(_ progress: TrainingProgress, program: Program) throws -> CheckpointRecord {
    let configuration = plan.configuration
    let state = RunState(
      progress: progress, seconds: clock.seconds, updates: replica.optimizer.steps)
    let batches = plan.sampler.batchesPerEpoch
    var record = CheckpointRecord(
      step: progress.steps, epoch: progress.steps / batches,
      positionInEpoch: progress.steps % batches, seed: configuration.seed,
      shards: configuration.shards, configuration: configuration.text,
      preprocessing: plan.preprocessing, kernels: plan.instructions.rawValue,
      metrics: try state.text(), version: program.version, commit: program.commit,
      ranks: world.size)
    record.data = plan.identity
    return record
  }

  /// Puts the run where a checkpoint was saved, if there is one. Collective: the other ranks get the
  /// checkpoint's tensors from the root.
  /// - Throws: `JointFailure` if they are those of another model or optimizer.
  func restore(_ point: inout ResumePoint?) throws {
    guard let state = point?.state else { return }
    try world.together { try point?.moveTensors(to: replica.tensors) }
    for tensors in replica.tensors { try group.broadcast(tensors.slab.tensors) }
    replica.optimizer.steps = state.updates
    clock.resume(from: state.seconds)
    progress = state.progress
  }
}
