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
  let world: World
  private let choices = ChoiceLog()

  let clock: PhaseClock
  var progress = TrainingProgress()

  /// Collective.
  init(_ plan: TrainingPlan, world: World) throws {
    self.plan = plan
    self.world = world
    configuration = plan.configuration
    clock = PhaseClock(pulse: world.pulse)
    let kernels = KernelSet(
      plan.instructions, threads: plan.configuration.threads, coresAreShared: plan.crowding != nil)
    var options = ProcessGroup.Options()
    options.isCanonical = plan.configuration.isReproducible
    if plan.configuration.isReproducible {
      options.tree = SumTree(leaves: plan.partition.shards, ranks: world.size)
    }
    options.choice = plan.choice
    options.log = { [choices] in choices.add($0) }
    options.waitObserver = world.pulse
    // The watchdog, which knows more, comes first.
    options.timeLimit = 2 * plan.configuration.stallSeconds + 5
    group = try world.pulse.waiting {
      try ProcessGroup(world.transport, options: options, kernels: kernels)
    }
    let accumulation = AccumulationPlan(
      plan.partition, rank: world.rank, passes: plan.configuration.passes)
    evaluator = plan.test.map {
      Evaluator(
        $0, batchSize: plan.configuration.batchSize, partition: plan.partition, rank: world.rank,
        accumulation: accumulation, loss: plan.configuration.loss, pulse: world.pulse)
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

  /// Trains from where `progress` is until the plan, a stopping rule or an interruption says stop.
  func run(_ surroundings: RunSurroundings) throws {
    try flushingSubnormals { try makeSteps(surroundings) }
  }

  private func makeSteps(_ surroundings: RunSurroundings) throws {
    let (log, interruption) = (surroundings.log, surroundings.interruption)
    choices.log = log
    let (first, steps) = (progress.steps, plan.totalSteps)
    let stream = BatchStream(
      plan.training, sampler: plan.sampler, partition: plan.partition, rank: world.rank,
      range: first..<steps, instructions: plan.instructions)
    interruption.begin()
    world.pulse.begin(step: first)
    // What follows a checkpoint's last step is not part of the checkpoint.
    var isOver = try first > 0 && endStep(surroundings)
    while !isOver {
      world.pulse.begin(step: progress.steps + 1)
      clock.enter(.data)
      let batch = stream.next()!
      let step = progress.steps
      let rate = configuration.optimizer.schedule.rate(step: step, totalSteps: steps)
      let stop = StopRequest(
        timeIsUp: world.isRoot && rules.isTimeUp(clock.elapsed),
        isInterrupted: interruption.isRequested)
      let sums = try replica.computeGradients(step, batch, stop: stop)
      let isUpdated = try divergence.permitsUpdate(
        sums, step, batch, &progress.divergence, log: log)
      if isUpdated { try replica.update(learningRate: rate) }
      clock.enter(.other)
      progress.record(step: step, loss: sums.loss, samples: batch.globalSize, counts: isUpdated)
      if step == first { progress.timeToFirstStep = ProcessFacts.age }
      let isLast = step + 1 == steps
      if sums.stop.timeIsUp, !isLast { progress.status = TrainingProgress.outOfTime }
      if sums.stop.isInterrupted { progress.status = TrainingProgress.interrupted }
      if (step + 1) % configuration.logInterval == 0 || isLast || sums.stop.timeIsUp {
        try log?.record(stepEvent(step, sums.loss, rate))
      }
      try watchLoss(sums.loss, step, log: log)
      isOver = try endStep(surroundings)
    }
    clock.enter(.end)
  }

  /// Whether the last step is followed by an evaluation: it ended an epoch, or the run in its own time.
  private var endsEpoch: Bool {
    switch progress.status {
    case TrainingProgress.interrupted: false
    case TrainingProgress.outOfTime: true
    default:
      progress.steps % plan.sampler.batchesPerEpoch == 0 || progress.steps == plan.totalSteps
    }
  }

  /// Compares the replicas, evaluates at an epoch's end, and saves what it is time to save.
  /// - Returns: whether the run is over, alike on all ranks.
  private func endStep(_ surroundings: RunSurroundings) throws -> Bool {
    if replicaCheck.isDue(afterStep: progress.steps, endsEpoch: endsEpoch) {
      try replicaCheck.run(
        network, kernels: replica.kernels, world: world, steps: progress.steps)
    }
    let (reached, evaluation) = (progress, try endEpoch(surroundings))
    let occasion: CheckpointRecorder.Occasion =
      switch progress.status {
      case TrainingProgress.interrupted: .interruption
      case TrainingProgress.completed where progress.steps < plan.totalSteps: .step
      default: .end
      }
    clock.enter(.checkpoint)
    try surroundings.checkpoints?.save(reached, of: self, evaluation: evaluation, occasion)
    clock.enter(.other)
    return occasion != .step
  }

  /// Makes steps over batches of `sampler` and nothing else, as if `steps` were the whole run.
  /// - Parameter ended: called at the end of each part of each step.
  func run(steps: Int, sampler: Sampler, ended: @escaping (StepPart) -> Void) throws {
    replica.ended = ended
    defer { replica.ended = nil }
    try flushingSubnormals {
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

  /// If an epoch is over, or the time is up: evaluates, reports, and decides - alike on all ranks -
  /// whether training is over, too.
  private func endEpoch(_ surroundings: RunSurroundings) throws -> Evaluator.Result? {
    guard endsEpoch else { return nil }
    var result: Evaluator.Result?
    if let evaluator {
      clock.enter(.evaluation)
      result = try evaluator.evaluate(
        network, group: group, kernels: replica.kernels, interruption: surroundings.interruption)
      clock.enter(.other)
      guard result != nil else {
        progress.status = TrainingProgress.interrupted
        return nil
      }
    }
    progress.endEpoch(
      result, trainingSeconds: clock.trainingSeconds,
      leastImprovement: configuration.minimumImprovement)
    if let result {
      try surroundings.log?.record(
        EvaluationEvent(
          step: progress.steps, epoch: progress.epochs, loss: JSONNumber(value: result.loss),
          accuracy: result.accuracy, seconds: clock.elapsed))
    }
    surroundings.log?.say(progress.line(epochs: configuration.epochs))
    if let loss = result?.loss {
      try divergence.requireFinite(loss, "test loss", log: surroundings.log)
    }
    if let rule = rules.verdict(progress) { progress.status = rule }
    return result
  }
}
