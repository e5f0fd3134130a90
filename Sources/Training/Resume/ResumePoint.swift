import Foundation
import Kernels

/// The checkpoint that a run goes on from.
///
/// The root reads and checks it, and tells the others: hosts need not share a file system, storage is
/// read once whatever the number of ranks, and the replicas are equal by construction.
struct ResumePoint {
  let record: CheckpointRecord
  let state: RunState
  /// Of the checkpoint.
  let path: String
  /// What was wrong with newer checkpoints.
  let warnings: [String]
  /// Whether the run's directory is the one that the checkpoint lies in: it is continued then.
  let continuesDirectory: Bool
  /// On the root only: the checkpoints that this one is one of.
  let store: CheckpointStore?
  /// On the root only.
  private var checkpoint: Checkpoint?

  /// Collective.
  /// - Returns: nil if the run is to begin anew.
  /// - Throws: `JointFailure` if there is no such checkpoint, or the configuration means another run.
  init?(
    _ request: ResumeRequest, for configuration: TrainingConfiguration, world: World
  ) throws {
    let found = try world.together { () -> FoundCheckpoint? in
      world.isRoot ? try FoundCheckpoint.search(request, for: configuration) : nil
    }
    guard let told = try world.fromRoot(found?.told) else { return nil }
    (path, warnings, continuesDirectory) = (told.path, told.warnings, told.isOwn)
    record = told.record
    (store, checkpoint) = (found?.store, found?.checkpoint)
    state = try world.together {
      try ResumePoint.refuseChanges(from: told.record, to: configuration, path: told.path)
      guard let state = try? RunState(text: told.record.metrics) else {
        throw TrainingError(
          ExitStatus.badData,
          "\(told.path): its metrics are not understood: use the version of lockstep that wrote it")
      }
      return state
    }
  }

  /// The kernel set that the run was computed with; nil if this version has none of that name.
  var kernels: InstructionSet? { InstructionSet(rawValue: record.kernels) }

  /// Hands over the checkpoint's tensors, on the root, and forgets them.
  /// - Throws: `TensorFileFault` if names or shapes are not the same.
  mutating func moveTensors(to groups: [TensorGroup]) throws {
    try checkpoint?.restore(groups, path: path)
    checkpoint = nil
  }

  /// What the reader should know before the run goes on.
  func warnings(of plan: TrainingPlan, program: Program) -> [String] {
    var warnings = self.warnings
    if plan.instructions != kernels {
      warnings.append(
        "\(path): it was computed with \(record.kernels) kernels, and the run goes on with "
          + "\(plan.instructions.rawValue): its bits will not be those of a run that never stopped")
    }
    if (record.version, record.commit) != (program.version, program.commit) {
      warnings.append(
        "\(path): it is of version \(record.version), commit \(record.commit), and this is "
          + "\(program.version), \(program.commit): bits may not be those of one that never stopped"
      )
    }
    return warnings
  }

  /// Makes the checkpoint the newest of its run directory.
  /// - Returns: what stays of the directory's metrics.
  /// - Throws: `TrainingError`, `TensorFileFault`.
  func takeUp(_ directory: OutputDirectory) throws -> MetricsHistory {
    try store?.setAside(after: record.step)
    // It is written last: without it, the run is not over.
    try? FileManager.default.removeItem(atPath: directory.path + "/summary.json")
    let lines = FileManager.default.contents(atPath: directory.path + "/metrics.jsonl") ?? Data()
    return MetricsHistory(lines, upTo: record.step)
  }

  /// Refuses to go on with another length of a schedule, or on other data, than the run had.
  /// - Throws: `JointFailure`.
  func requireSameRun(_ plan: TrainingPlan, world: World) throws {
    try world.together {
      let configuration = try ResumePoint.configuration(of: record, path: path)
      let batches = plan.sampler.batchesPerEpoch
      let planned = configuration.totalSteps(batchesPerEpoch: batches)
      guard plan.identity == record.data, plan.preprocessing == record.preprocessing else {
        throw TrainingError(
          ExitStatus.badData,
          "\(path): the data are not those of the run to go on with: give it the same files, or start "
            + "anew with --resume none")
      }
      guard plan.totalSteps >= record.step else {
        throw TrainingError(
          ExitStatus.usage,
          "\(path): \(record.step) steps are made, and training.epochs and training.max-steps allow "
            + "\(plan.totalSteps): raise them, or go on from an earlier checkpoint")
      }
      guard
        plan.totalSteps == planned || !plan.configuration.optimizer.schedule.dependsOnTotalSteps
      else {
        throw TrainingError(
          ExitStatus.usage,
          "\(path): the run was planned for \(planned) steps, and training.epochs and "
            + "training.max-steps make it \(plan.totalSteps): optimizer.schedule would have had other "
            + "rates from the first step on; leave them, or start anew with --resume none")
      }
    }
  }

  /// - Throws: `TrainingError` with a line for each value that would make another run of it.
  private static func refuseChanges(
    from record: CheckpointRecord, to configuration: TrainingConfiguration, path: String
  ) throws {
    let changes = ConfigurationChanges(
      from: try ResumePoint.configuration(of: record, path: path), to: configuration
    ).lines
    guard !changes.isEmpty else { return }
    let refusal =
      "\(path): its run had another configuration: go on with that one, or start anew with "
    throw TrainingError(
      ExitStatus.usage, ([refusal + "--resume none"] + changes).joined(separator: "\n"))
  }

  private static func configuration(
    of record: CheckpointRecord, path: String
  ) throws -> TrainingConfiguration {
    do {
      return try TrainingConfiguration(yaml: record.configuration, name: path)
    } catch {
      throw TrainingError(
        ExitStatus.usage,
        "\(path): its configuration is not understood: use the version of lockstep that wrote it "
          + "(\(error))"
      )
    }
  }
}
