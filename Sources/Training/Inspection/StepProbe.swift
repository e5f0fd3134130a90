import Collective
import Datasets
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
  /// Starting the allreduces of gradients and moving them on, between stages of backward.
  case allreduceProgress
  /// Waiting for what is left of a bucket's allreduce, in the order in which they started.
  case allreduce(bucket: Int)
  case update
}

/// The steps of a run, to be watched from outside: what `train` does, without log, evaluation and run
/// directory.
public struct StepProbe {
  /// One stage of the network: what `backward` counts down, and `forward` up.
  public struct Stage: Sendable {
    /// Where it stands in the configuration: `3`, or `3.0` within a block.
    public var number: String
    public var kind: String
    public var outputShape: Shape
    /// Multiplications and additions of a step, on all ranks together; 0 if the layer says nothing of
    /// them.
    public var forwardFlops: Double
    public var backwardFlops: Double
  }

  private let plan: TrainingPlan
  private let trainer: Trainer

  /// Opens the data that the configuration names. Collective.
  /// - Throws: `JointFailure` if the run could not start.
  public init(
    _ configuration: TrainingConfiguration, world: World, environment: [String: String]
  ) throws {
    plan = try TrainingPlan(configuration, world: world, environment: environment)
    trainer = try Trainer(plan, world: world)
  }

  public var instructions: InstructionSet { plan.instructions }
  public var threads: Int { plan.configuration.threads }
  /// Samples of a step on all ranks: fewer than asked for where the data have no more.
  public var batchSize: Int { plan.sampler.positions(ofBatch: 0).count }
  public var inputShape: Shape { plan.network.inputShape }
  public var parameters: Int { plan.network.layout.parameterCount }
  /// Bytes of each allreduce of gradients in a step, in the order in which they start.
  public var bucketBytes: [Int] {
    plan.network.bucketBytes(atLeast: plan.configuration.bucketBytes)
  }

  public var stages: [Stage] {
    plan.network.stages.enumerated().map { number, stage in
      let products =
        2 * Double(stage.layer?.multiplyAdds ?? 0) * Double(batchSize)
        * (number == 0 ? plan.training.density : 1)
      // By the parameters, and by the inputs if anything in front learns.
      let backward = trainer.network.passesGradientOn(fromStage: number) ? 2.0 : 1
      return Stage(
        number: stage.number, kind: stage.kind, outputShape: stage.outputShape,
        forwardFlops: products, backwardFlops: backward * products)
    }
  }

  /// What a step may do, in the order of a step of one pass.
  public var parts: [StepPart] {
    let stages = plan.network.stages.indices
    return [.data] + stages.map { .forward(stage: $0) } + [.loss]
      + stages.reversed().map { .backward(stage: $0) } + [.allreduceProgress]
      + bucketBytes.indices.map { .allreduce(bucket: $0) } + [.update]
  }

  /// Makes steps, with full batches only. Collective.
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

extension Dataset {
  /// Which part of the features is stored, and so multiplied.
  fileprivate var density: Double {
    guard let sparse = sparseFeatures else { return 1 }
    return Double(sparse.elementCount) / (Double(count) * Double(featureCount))
  }
}
