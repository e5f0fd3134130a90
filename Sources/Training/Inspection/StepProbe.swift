import Collective
import Datasets
import Foundation
import Kernels
import NN

/// What a training step does, one after the other.
public enum StepPart: Hashable, Sendable {
  /// Waiting for the batch, which another thread makes ready.
  case data
  /// A stage of the network, or two that are one: the first of them.
  case forward(stage: Int)
  case loss
  case backward(stage: Int)
  /// What is left of the allreduce of gradients.
  case allreduce
  case update
}

/// The steps of a run on one rank, to be watched from outside: what `train` does, without log,
/// evaluation and run directory.
public struct StepProbe {
  /// One stage of the network: what `backward` counts down, and `forward` up.
  public struct Stage: Sendable {
    /// Where it stands in the configuration: `3`, or `3.0` within a block.
    public var number: String
    public var kind: String
    public var outputShape: Shape
    /// Multiplications and additions of a step; 0 if the layer says nothing of them.
    public var forwardFlops: Double
    public var backwardFlops: Double
  }

  private let plan: TrainingPlan
  private let trainer: Trainer

  /// Opens the data that the configuration names.
  /// - Throws: `JointFailure` if the run could not start.
  public init(_ configuration: TrainingConfiguration, environment: [String: String]) throws {
    let world = try World(
      LoopbackTransport.alone(), host: ProcessInfo.processInfo.hostName, carrier: "none")
    plan = try TrainingPlan(configuration, world: world, environment: environment)
    trainer = try Trainer(plan, world: world)
  }

  public var instructions: InstructionSet { plan.instructions }
  /// Samples of a step: fewer than asked for where the data have no more.
  public var batchSize: Int { plan.sampler.positions(ofBatch: 0).count }
  public var inputShape: Shape { plan.network.inputShape }
  public var parameters: Int { plan.network.layout.parameterCount }

  public var stages: [Stage] {
    plan.network.stages.enumerated().map { number, stage in
      let products = 2 * Double(stage.layer?.multiplyAdds ?? 0) * Double(batchSize)
      // By the parameters, and by the inputs if anything in front learns.
      let backward = trainer.network.passesGradientOn(fromStage: number) ? 2.0 : 1
      return Stage(
        number: stage.number, kind: stage.kind, outputShape: stage.outputShape,
        forwardFlops: products, backwardFlops: backward * products)
    }
  }

  /// Makes steps, with full batches only.
  /// - Parameter ended: called at the end of each part of each step. A part comes once a step, with
  ///   `training.accumulate` more often.
  /// - Throws: what `Trainer` throws.
  public func run(steps: Int, ended: @escaping (StepPart) -> Void) throws {
    // A short batch at the end of an epoch would be another measurement.
    let sampler = Sampler(
      count: plan.sampler.count / batchSize * batchSize, batchSize: batchSize,
      seed: plan.sampler.seed, shuffles: plan.sampler.shuffles)
    try trainer.run(steps: steps, sampler: sampler, ended: ended)
  }
}
