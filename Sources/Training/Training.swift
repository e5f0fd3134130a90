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
/// - Returns: on every rank, what `summary.json` says.
/// - Throws: `JointFailure`, on all ranks alike, if the run cannot start - then nothing has been
///   written - or its numbers are not finite. Any other error is one rank's, and ends the job.
public func train(
  _ configuration: TrainingConfiguration, world: World, program: Program
) throws -> RunSummary {
  try train(configuration, world: world, program: program) { _ in }
}

/// Trains as `train` does, with something done to the trainer before the first step: tests make what
/// should not happen happen.
package func train(
  _ configuration: TrainingConfiguration, world: World, program: Program,
  prepare: (Trainer) throws -> Void
) throws -> RunSummary {
  let plan = try TrainingPlan(configuration, world: world, environment: program.environment)
  let trainer = try Trainer(plan, world: world)
  try prepare(trainer)
  let (directory, log) = try world.together { () -> (OutputDirectory?, RunLog?) in
    guard world.isRoot else { return (nil, nil) }
    return try begin(trainer, world: world, program: program)
  }
  let summary: RunSummary
  let difference: ReplicaDifference
  do {
    try trainer.run(log: log)
    (summary, difference) = try summarize(trainer, world: world)
    if difference.isNone { try trainer.divergence.requireFiniteModel(log: log) }
  } catch let failure as JointFailure {
    try log?.record(
      EndEvent(status: "diverged", step: trainer.progress.steps, seconds: trainer.clock.elapsed))
    throw failure
  }
  if let directory {
    let metadata = [
      "format": "lockstep", "version": program.version, "commit": program.commit,
      "parameter-sha256": summary.parameterSha256,
    ]
    try directory.write(
      try SafeTensors.encode(
        [trainer.network.parameters, trainer.network.state], metadata: metadata),
      to: "model.safetensors")
    let end = EndEvent(
      status: summary.status, step: summary.steps, seconds: trainer.clock.elapsed)
    try log?.record(end)
    try directory.write(
      try JSONEncoder.lockstep(pretty: true).encode(summary) + Data("\n".utf8), to: "summary.json")
    for line in conclusion(summary, directory: directory) { log?.say(line) }
  }
  guard difference.isNone else {
    throw JointFailure(
      ExitStatus.diverged,
      difference.text(afterStep: summary.steps, hosts: world.hosts, tensors: []))
  }
  return summary
}

/// Makes the run directory and writes what is known before the first step. If it cannot, what it
/// has made is taken back.
private func begin(
  _ trainer: Trainer, world: World, program: Program
) throws -> (OutputDirectory, RunLog) {
  let configuration = trainer.plan.configuration
  let (directory, movedTo) = try OutputDirectory.create(
    configuration.output, marker: "metrics.jsonl")
  do {
    try directory.write(Data(configuration.text.utf8), to: "config.yaml")
    let log = try RunLog(in: directory, isQuiet: program.isQuiet)
    try log.record(start(of: trainer, world: world, program: program))
    for line in introduction(to: trainer, world: world, program: program) { log.say(line) }
    if let movedTo { log.say("earlier run moved to \(movedTo)") }
    for warning in trainer.plan.warnings { try log.warn(warning) }
    return (directory, log)
  } catch {
    directory.remove(restoring: movedTo)
    throw error
  }
}

private func algorithm(of configuration: TrainingConfiguration) -> String {
  configuration.algorithm?.rawValue ?? "auto"
}

private func start(of trainer: Trainer, world: World, program: Program) -> StartEvent {
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
  let difference = ReplicaDifference(try world.transport.allgather(hash.bytes))
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
