import Collective
import Datasets
import Foundation
import Kernels
import NN

/// Synchronous data-parallel training: every rank computes the gradient of its part of each batch, the
/// gradients are added up, and every rank makes the same step.
package final class Trainer {
  let plan: TrainingPlan
  package let replica: Replica
  let divergence: DivergenceGuard
  let group: ProcessGroup
  private let configuration: TrainingConfiguration
  private let evaluator: Evaluator?
  private let rules: StoppingRules
  private let replicaCheck: ReplicaCheck
  private let world: World
  private let choices = ChoiceLog()

  let clock = PhaseClock()
  private(set) var progress = TrainingProgress()

  /// Collective.
  init(_ plan: TrainingPlan, world: World) throws {
    self.plan = plan
    self.world = world
    configuration = plan.configuration
    let kernels = KernelSet(
      plan.instructions, threads: plan.configuration.threads, coresAreShared: plan.crowding != nil)
    var options = ProcessGroup.Options()
    options.isCanonical = plan.configuration.isReproducible
    if plan.configuration.isReproducible {
      options.tree = SumTree(leaves: plan.partition.shards, ranks: world.size)
    }
    options.choice = plan.choice
    options.log = { [choices] in choices.add($0) }
    group = try ProcessGroup(world.transport, options: options, kernels: kernels)
    let accumulation = AccumulationPlan(
      plan.partition, rank: world.rank, passes: plan.configuration.passes)
    evaluator = plan.test.map {
      Evaluator(
        $0, batchSize: plan.configuration.batchSize, partition: plan.partition, rank: world.rank,
        accumulation: accumulation, loss: plan.configuration.loss)
    }
    let rows = accumulation.maximumRows(plan.partition, rank: world.rank, sampler: plan.sampler)
    replica = try Replica(
      plan, accumulation: accumulation, maximumRows: max(rows, evaluator?.maximumRows ?? 0),
      group: group, kernels: kernels, clock: clock)
    divergence = DivergenceGuard(plan, replica: replica, world: world)
    rules = StoppingRules(configuration)
    replicaCheck = ReplicaCheck(interval: configuration.checkInterval)
  }

  var network: Network { replica.network }

  /// Trains until the plan, or a stopping rule, says stop.
  /// - Parameter log: nil on all ranks but the root.
  func run(log: RunLog?) throws {
    choices.log = log
    let steps = plan.totalSteps
    let stream = BatchStream(
      plan.training, sampler: plan.sampler, partition: plan.partition, rank: world.rank,
      range: 0..<steps, instructions: plan.instructions)
    for step in 0..<steps {
      clock.enter(.data)
      let batch = stream.next()!
      let rate = configuration.optimizer.schedule.rate(step: step, totalSteps: steps)
      let sums = try replica.computeGradients(
        step, batch, asksForEnd: world.isRoot && rules.isTimeUp(clock.elapsed))
      let isUpdated = try divergence.permitsUpdate(
        sums, step, batch, &progress.divergence, log: log)
      if isUpdated { try replica.update(learningRate: rate) }
      clock.enter(.other)
      progress.record(step: step, loss: sums.loss, samples: batch.globalSize, counts: isUpdated)
      if step == 0 { progress.timeToFirstStep = ProcessFacts.age }
      if sums.timeIsUp { progress.status = "time-limit" }
      let isLast = step + 1 == steps || sums.timeIsUp
      if (step + 1) % configuration.logInterval == 0 || isLast {
        try log?.record(stepEvent(step, sums.loss, rate))
      }
      try watchLoss(sums.loss, step, log: log)
      let endsEpoch = (step + 1) % plan.sampler.batchesPerEpoch == 0 || isLast
      if replicaCheck.isDue(afterStep: step + 1, endsEpoch: endsEpoch) {
        try replicaCheck.run(network, kernels: replica.kernels, world: world, steps: step + 1)
      }
      if endsEpoch, try endEpoch(log: log) { break }
    }
    clock.enter(.other)
  }

  /// Makes steps over batches of `sampler` and nothing else, as if `steps` were the whole run.
  /// - Parameter ended: called at the end of each part of each step.
  func run(steps: Int, sampler: Sampler, ended: @escaping (StepPart) -> Void) throws {
    replica.ended = ended
    defer { replica.ended = nil }
    let stream = BatchStream(
      plan.training, sampler: sampler, partition: plan.partition, rank: world.rank,
      range: 0..<steps, instructions: plan.instructions)
    for step in 0..<steps {
      let batch = stream.next()!
      ended(.data)
      _ = try replica.computeGradients(step, batch)
      try replica.update(
        learningRate: configuration.optimizer.schedule.rate(step: step, totalSteps: steps))
    }
  }

  /// Warns of a loss that is far above the recent ones.
  private func watchLoss(_ loss: Double, _ step: Int, log: RunLog?) throws {
    guard configuration.spikeDeviations > 0,
      let bound = progress.spike.observe(loss, deviations: configuration.spikeDeviations),
      let heldBack = progress.spikePace.admit(step)
    else { return }
    try log?.warn(
      String(
        format: "step %d: the loss is %.4g, those before were below %.4g", step + 1, loss, bound)
        + WarningPace.text(heldBack: heldBack))
  }

  private func stepEvent(_ step: Int, _ loss: Double, _ rate: Float) -> StepEvent {
    let seconds = clock.elapsed
    return StepEvent(
      step: step + 1, epoch: step / plan.sampler.batchesPerEpoch + 1, samples: progress.samples,
      loss: JSONNumber(value: loss), learningRate: rate, seconds: seconds,
      samplesPerSecond: progress.rateSinceLastEvent(trainingSeconds: clock.trainingSeconds))
  }

  /// Evaluates, reports, and decides - alike on all ranks - whether training is over.
  private func endEpoch(log: RunLog?) throws -> Bool {
    clock.enter(.evaluation)
    let result = try evaluator?.evaluate(network, group: group, kernels: replica.kernels)
    clock.enter(.other)
    progress.endEpoch(
      result, trainingSeconds: clock.trainingSeconds,
      leastImprovement: configuration.minimumImprovement)
    if let result {
      try log?.record(
        EvaluationEvent(
          step: progress.steps, epoch: progress.epochs, loss: JSONNumber(value: result.loss),
          accuracy: result.accuracy, seconds: clock.elapsed))
    }
    log?.say(progress.line(epochs: configuration.epochs))
    if let loss = result?.loss { try divergence.requireFinite(loss, "test loss", log: log) }
    if let rule = rules.verdict(progress) { progress.status = rule }
    return progress.status != TrainingProgress.completed
  }
}
