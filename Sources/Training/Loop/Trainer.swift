import Collective
import Datasets
import Foundation
import Kernels
import NN

/// Synchronous data-parallel training: every rank computes the gradient of its part of each batch, the
/// gradients are added up, and every rank makes the same step.
final class Trainer {
  let plan: TrainingPlan
  let replica: Replica
  let group: ProcessGroup
  private let configuration: TrainingConfiguration
  private let evaluator: Evaluator?
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
      let loss = try replica.step(step, batch, learningRate: rate)
      clock.enter(.other)
      try requireFinite(loss, "loss of step \(step + 1)")
      progress.record(step: step, loss: loss, samples: batch.globalSize)
      if step == 0 { progress.timeToFirstStep = ProcessFacts.age }
      if (step + 1) % configuration.logInterval == 0 || step + 1 == steps {
        try log?.record(stepEvent(step, loss, rate))
      }
      if (step + 1) % plan.sampler.batchesPerEpoch == 0 || step + 1 == steps {
        if try endEpoch(log: log) { break }
      }
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
      _ = try replica.step(
        step, batch,
        learningRate: configuration.optimizer.schedule.rate(step: step, totalSteps: steps))
    }
  }

  /// The last update is seen by no loss.
  /// - Precondition: all ranks have the same parameters.
  func requireFiniteParameters() throws {
    for slab in [network.parameters, network.state] {
      for tensor in slab.layout.tensors {
        for value in slab.elements(of: tensor) where !value.isFinite {
          try requireFinite(Double(value), "parameter \(tensor.name)")
        }
      }
    }
  }

  /// Throws `JointFailure`: of numbers that all ranks have alike.
  private func requireFinite(_ value: Double, _ what: String) throws {
    guard value.isFinite else {
      throw JointFailure(
        ExitStatus.diverged,
        "the \(what) became \(value): lower optimizer.learning-rate "
          + "(\(configuration.optimizer.schedule.peak))")
    }
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
    progress.endEpoch(result, trainingSeconds: clock.trainingSeconds)
    if let result {
      try log?.record(
        EvaluationEvent(
          step: progress.steps, epoch: progress.epochs, loss: JSONNumber(value: result.loss),
          accuracy: result.accuracy, seconds: clock.elapsed))
    }
    log?.say(progress.line(epochs: configuration.epochs))
    if let loss = result?.loss { try requireFinite(loss, "test loss") }
    if let target = configuration.targetLoss, progress.epochLoss <= target {
      progress.status = "target-loss"
    } else if let target = configuration.targetAccuracy, let accuracy = result?.accuracy,
      accuracy >= target
    {
      progress.status = "target-accuracy"
    }
    return progress.status != TrainingProgress.completed
  }
}
