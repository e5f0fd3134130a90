import Collective
import Foundation
import NN

/// Reads a configuration on all ranks, which have to run the same program. Collective.
/// - Throws: `JointFailure`, on all ranks alike.
public func readConfiguration(
  file: String, settings: [String], world: World, program: Program
) throws -> TrainingConfiguration {
  try program.requireSame(in: world)
  let configuration = try world.together {
    try TrainingConfiguration(file: file, settings: settings, environment: program.environment)
  }
  try world.requireEqual(
    configuration.text, "the configuration is", exitCode: ExitStatus.usage)
  return configuration
}

/// Trains a model on the ranks of `world` and leaves a run directory. Collective.
/// - Parameters:
///   - resume: which checkpoint to go on from; the end is then that of a run that never stopped.
///   - interruption: who may ask the run to stop with its state saved.
/// - Returns: on every rank, what `summary.json` says.
/// - Throws: `JointFailure`, on all ranks alike, if the run cannot start - then nothing has been
///   written -, if its numbers are not finite, or if it was interrupted. Any other error is one
///   rank's, and ends the job: a `RankFailure` once the run has begun.
public func train(
  _ configuration: TrainingConfiguration, world: World, program: Program,
  resume: ResumeRequest = .none, interruption: any Interruption = NoInterruption()
) throws -> RunSummary {
  try train(
    configuration, world: world, program: program, resume: resume, interruption: interruption
  ) { _ in }
}

/// Trains as `train` does, with something done to the trainer before the first step: tests make what
/// should not happen happen.
package func train(
  _ configuration: TrainingConfiguration, world: World, program: Program,
  resume: ResumeRequest = .none, interruption: any Interruption = NoInterruption(),
  prepare: (Trainer) throws -> Void
) throws -> RunSummary {
  var point = try ResumePoint(resume, for: configuration, world: world)
  let plan = try TrainingPlan(
    configuration, world: world, environment: program.environment, kernels: point?.kernels)
  try point?.requireSameRun(plan, world: world)
  let trainer = try Trainer(plan, world: world)
  try trainer.restore(&point)
  try prepare(trainer)
  let root = try world.together {
    world.isRoot ? try begin(trainer, from: point, world: world, program: program) : nil
  }
  if let log = root?.log { world.watchdog?.report { try? log.record($0) } }
  do {
    return try run(
      trainer, recordedBy: root, world: world, program: program, interruption: interruption)
  } catch let error where !(error is JointFailure || error is RankLeft) {
    throw RankFailure(error, at: world.pulse.place)
  }
}

/// Trains, and writes what has come of it.
/// - Parameter root: on the root rank.
private func run(
  _ trainer: Trainer, recordedBy root: RootRecords?, world: World, program: Program,
  interruption: any Interruption
) throws -> RunSummary {
  let summary: RunSummary
  let difference: ReplicaDifference
  do {
    try trainer.run(
      RunSurroundings(log: root?.log, checkpoints: root?.checkpoints, interruption: interruption))
    (summary, difference) = try summarize(trainer, world: world)
    if difference.isNone { try trainer.divergence.requireFiniteModel(log: root?.log) }
  } catch let failure as JointFailure {
    try root?.log.record(
      EndEvent(status: "diverged", step: trainer.progress.steps, seconds: trainer.clock.elapsed))
    throw failure
  }
  try root.map { try end(trainer, summary, $0, program: program) }
  guard difference.isNone else {
    throw JointFailure(
      ExitStatus.diverged,
      difference.text(afterStep: summary.steps, hosts: world.hosts, tensors: []))
  }
  guard summary.status != TrainingProgress.interrupted else {
    throw JointFailure(
      ExitStatus.interrupted,
      "interrupted after step \(summary.steps), and its state is saved in "
        + "\(trainer.plan.configuration.output): start it again with --resume auto to go on")
  }
  return summary
}

/// What the root keeps of a run.
private struct RootRecords {
  var directory: OutputDirectory
  var log: RunLog
  var checkpoints: CheckpointRecorder
}

/// Makes the run directory, or takes up the one of the checkpoint, and writes what is known before the
/// first step. If it cannot, what it has made is taken back.
private func begin(
  _ trainer: Trainer, from point: ResumePoint?, world: World, program: Program
) throws -> RootRecords {
  let configuration = trainer.plan.configuration
  let own = point.flatMap { $0.continuesDirectory ? $0 : nil }
  var movedTo: String?
  let directory: OutputDirectory
  if own != nil {
    directory = OutputDirectory(path: configuration.output)
  } else {
    (directory, movedTo) = try OutputDirectory.create(configuration.output, marker: "metrics.jsonl")
  }
  do {
    let history = try own.map { try $0.takeUp(directory) }
    try directory.write(Data(configuration.text.utf8), to: "config.yaml")
    let log = try RunLog(in: directory, isQuiet: program.isQuiet, after: history)
    try log.record(start(of: trainer, from: point, world: world, program: program))
    for line in introduction(to: trainer, world: world, program: program) { log.say(line) }
    if let movedTo { log.say("earlier run moved to \(movedTo)") }
    if let point { log.say("resume \(point.path), step \(point.record.step)") }
    let warnings = point?.warnings(of: trainer.plan, program: program) ?? []
    for warning in warnings + trainer.plan.warnings { try log.warn(warning) }
    let store =
      own?.store
      ?? CheckpointStore(runDirectory: directory.path, keep: configuration.checkpoint.keep)
    let checkpoints = CheckpointRecorder(
      configuration.checkpoint, store: store, program: program, log: log,
      step: own?.record.step ?? 0, seconds: trainer.clock.elapsed)
    return RootRecords(directory: directory, log: log, checkpoints: checkpoints)
  } catch {
    if own == nil { directory.remove(restoring: movedTo) }
    throw error
  }
}

/// Writes the model and what the run came to.
private func end(
  _ trainer: Trainer, _ summary: RunSummary, _ records: RootRecords, program: Program
) throws {
  let metadata = [
    "format": "lockstep", "version": program.version, "commit": program.commit,
    "parameter-sha256": summary.parameterSha256,
  ]
  try records.directory.write(
    try SafeTensors.encode(
      [trainer.network.parameters, trainer.network.state], metadata: metadata),
    to: "model.safetensors")
  try records.log.record(
    EndEvent(status: summary.status, step: summary.steps, seconds: trainer.clock.elapsed))
  try records.directory.write(
    try JSONEncoder.lockstep(pretty: true).encode(summary) + Data("\n".utf8), to: "summary.json")
  for line in conclusion(summary, directory: records.directory) { records.log.say(line) }
}

private func algorithm(of configuration: TrainingConfiguration) -> String {
  configuration.algorithm?.rawValue ?? "auto"
}

private func start(
  of trainer: Trainer, from point: ResumePoint?, world: World, program: Program
) -> StartEvent {
  let plan = trainer.plan
  return StartEvent(
    version: program.version, commit: program.commit, ranks: world.size,
    threads: plan.configuration.threads > 1 ? plan.configuration.threads : nil, hosts: world.hosts,
    transport: world.carrier, kernels: plan.instructions.rawValue,
    algorithm: algorithm(of: plan.configuration),
    parameters: trainer.network.layout.parameterCount,
    memoryBytes: Int(plan.memory.total), trainSamples: plan.training.count,
    testSamples: plan.test?.count, steps: plan.totalSteps,
    batchSize: plan.configuration.batchSize, shards: plan.partition.shards,
    checkpoint: point?.path, step: point?.record.step,
    date: ISO8601DateFormatter().string(from: Date()))
}

private func introduction(
  to trainer: Trainer, world: World, program: Program
) -> [String] {
  let plan = trainer.plan
  func plural(_ count: Int, _ word: String) -> String { "\(count) \(word)\(count == 1 ? "" : "s")" }
  var data = "\(plan.configuration.data.format.rawValue), \(plan.training.count) training samples"
  if let test = plan.test { data += ", \(test.count) test samples" }
  let network = trainer.network
  let threads = plan.configuration.threads
  let ranks = plural(world.size, "rank") + (threads == 1 ? "" : " of \(threads) threads")
  return [
    "lockstep \(program.version): \(ranks) on "
      + "\(plural(world.nodes.count, "node")), \(plan.instructions.rawValue) kernels, "
      + "\(algorithm(of: plan.configuration)) allreduce",
    "data   \(data)",
    "model  \(network.plan.outline), \(network.layout.parameterCount) parameters",
    "memory \(megabytes(plan.memory.total)) a rank, "
      + "\(megabytes(plan.memory.activations + plan.memory.workspace + plan.memory.scratch)) "
      + "of it activations and workspace",
  ]
}

/// To a tenth; what is less is said to be less.
private func megabytes(_ bytes: Double) -> String {
  bytes < 1e5 ? "below 0.1 MB" : String(format: "%.1f MB", bytes / 1e6)
}

private func conclusion(_ summary: RunSummary, directory: OutputDirectory) -> [String] {
  let shares = [
    ("compute", summary.computeShare), ("communication", summary.communicationShare),
    ("data", summary.dataShare),
  ].map { String(format: "%@ %.0f %%", $0.0, 100 * $0.1) }
  var first = String(
    format: "%@ after %d steps in %.1f s, %.0f samples/s (%@)",
    summary.status, summary.steps, summary.seconds, summary.samplesPerSecond,
    shares.joined(separator: ", "))
  if let accuracy = summary.testAccuracy {
    first += String(format: ", test accuracy %.2f %%", 100 * accuracy)
  }
  let replicas =
    summary.ranks == 1
    ? ""
    : summary.replicasEqual ? ", equal on all \(summary.ranks) ranks" : ", NOT EQUAL on all ranks"
  return [
    first, "parameters \(summary.parameterSha256.prefix(16))\(replicas)",
    "run    \(directory.path)",
  ]
}

/// Compares the replicas and gathers what every rank measured. Collective.
private func summarize(
  _ trainer: Trainer, world: World
) throws -> (RunSummary, ReplicaDifference) {
  let hash = ParameterHash([trainer.network.parameters, trainer.network.state])
  let difference = ReplicaDifference(try world.allgather(hash.bytes))
  let clock = trainer.clock
  let total = max(clock.trainingSeconds, 1e-9)
  let facts = try world.gather(
    RankFacts(
      shares: [.compute, .communication, .data].map { clock.seconds(in: $0) / total },
      peakRssBytes: ProcessFacts.peakResidentBytes))
  func mean(_ index: Int) -> Double {
    facts.reduce(0) { $0 + $1.shares[index] } / Double(facts.count)
  }
  let progress = trainer.progress
  let configuration = trainer.plan.configuration
  func finite(_ value: Double?) -> Double? { value.flatMap { $0.isFinite ? $0 : nil } }
  let summary = RunSummary(
    status: progress.status, ranks: world.size, nodes: world.nodes.count,
    batchSize: configuration.batchSize, steps: progress.steps, epochs: progress.epochs,
    trainLoss: finite(progress.epochLoss), testLoss: finite(progress.evaluation?.loss),
    testAccuracy: progress.evaluation?.accuracy, bestEpoch: progress.improvement.bestEpoch,
    bestLoss: progress.improvement.bestLoss, samplesPerSecond: progress.medianRate,
    seconds: clock.elapsed, timeToFirstStep: progress.timeToFirstStep, computeShare: mean(0),
    communicationShare: mean(1), dataShare: mean(2), peakRssBytes: facts.map(\.peakRssBytes),
    parameters: trainer.network.layout.parameterCount, parameterSha256: hash.hexadecimal,
    replicasEqual: difference.isNone, kernels: trainer.plan.instructions.rawValue,
    algorithm: algorithm(of: configuration))
  return (summary, difference)
}

/// What one rank measured of itself.
private struct RankFacts: Codable {
  var shares: [Double]
  var peakRssBytes: Int
}
