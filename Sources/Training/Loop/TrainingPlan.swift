import Collective
import Datasets
import Foundation
import Kernels
import NN

/// What a run will do, worked out and checked before anything is written: the same on every rank
/// but for the rank's own part of the data.
struct TrainingPlan {
  let configuration: TrainingConfiguration
  let training: any Dataset
  let test: (any Dataset)?
  let sampler: Sampler
  let partition: Partition
  let instructions: InstructionSet
  /// What the allreduce's method is chosen by.
  let choice: MethodChoice

  /// Collective: opens the data on all ranks, or throws on all of them.
  /// - Throws: `JointFailure`.
  init(
    _ configuration: TrainingConfiguration, world: World, environment: [String: String]
  ) throws {
    let (training, test, ownSet, choice) = try world.together {
      let set = try InstructionSet.selected(by: environment)
      let training = try configuration.data.open(configuration.data.train, name: "data.train")
      let test = try configuration.data.test.map {
        try configuration.data.open($0, name: "data.test")
      }
      try TrainingPlan.check(configuration, training: training, test: test, world: world)
      return (training, test, set, try configuration.methodChoice())
    }
    try world.requireEqual(
      "\(training.shapeDescription); \(test?.shapeDescription ?? "none")", "the data are",
      exitCode: ExitStatus.badData)
    if case .table(let table) = choice {
      try world.requireEqual(
        String(decoding: try table.json(), as: UTF8.self), "the tuning table is",
        exitCode: ExitStatus.usage)
    }
    // All ranks compute with the newest set that every one of them has: so their bits agree.
    let sets = InstructionSet.allCases
    let common = try world.transport.allgather([UInt8(sets.firstIndex(of: ownSet)!)])
    self.configuration = configuration
    self.training = training
    self.choice = choice
    self.test = test
    instructions = sets[Int(common.map { $0[0] }.min()!)]
    sampler = Sampler(
      count: training.count, batchSize: configuration.batchSize, seed: configuration.seed,
      shuffles: configuration.shuffles)
    partition = Partition(
      shards: configuration.isReproducible ? configuration.shards : world.size, ranks: world.size)
  }

  /// Steps of the whole run.
  var totalSteps: Int {
    let all = configuration.epochs * sampler.batchesPerEpoch
    return min(all, configuration.maximumSteps ?? all)
  }

  /// What a user should know before the run begins.
  var warning: String? {
    guard configuration.isReproducible, partition.ranks & (partition.ranks - 1) != 0 else {
      return nil
    }
    return
      "\(partition.ranks) ranks cut through the shard tree: the result agrees with that of 1, 2, "
      + "4, ... ranks to rounding, not bit for bit"
  }

  private static func check(
    _ configuration: TrainingConfiguration, training: any Dataset, test: (any Dataset)?,
    world: World
  ) throws {
    try configuration.requireWork(forRanks: world.size)
    try checkMemory(configuration, training, world: world)
    try checkTargets(configuration, training, name: "data.train")
    if let test {
      guard test.featureCount == training.featureCount else {
        throw TrainingError(
          ExitStatus.badData,
          "data.test: samples have \(test.featureCount) features, those of data.train have "
            + "\(training.featureCount)")
      }
      try checkTargets(configuration, test, name: "data.test")
    }
  }

  /// Refuses a model that cannot fit into this machine, before anything is allocated for it.
  private static func checkMemory(
    _ configuration: TrainingConfiguration, _ training: any Dataset, world: World
  ) throws {
    var shape = Shape(training.featureExtents)
    var parameters = 0.0
    // Of one sample: two batches of inputs, each layer's outputs, and two gradients by outputs.
    var activations = 2 * Double(shape.count)
    var widest = 0
    for specification in configuration.model {
      parameters += Double(specification.parameterCount(for: shape))
      shape = specification.outputShape(for: shape)
      activations += Double(shape.count)
      widest = max(widest, shape.count)
    }
    activations += 2 * Double(widest)
    let rows = Double(min(configuration.batchSize, training.count)) / Double(world.size)
    // Parameters, gradients, velocity.
    let floats = 3 * parameters + rows.rounded(.up) * activations
    let bytes = floats * Double(MemoryLayout<Float>.stride) * Double(world.ranksOnThisHost)
    let available = Double(ProcessInfo.processInfo.physicalMemory)
    guard bytes <= available else {
      throw TrainingError(
        ExitStatus.usage,
        String(
          format: "model: %.0f parameters and a batch of %d need %.1f GB on a host with %.1f GB: "
            + "make the layers or training.batch-size smaller", parameters,
          configuration.batchSize, bytes / 1e9, available / 1e9))
    }
  }

  private static func checkTargets(
    _ configuration: TrainingConfiguration, _ dataset: any Dataset, name: String
  ) throws {
    let input = Shape(dataset.featureExtents)
    let outputs = configuration.model.reduce(input) { $1.outputShape(for: $0) }.count
    switch dataset.targets {
    case .labels(let classes) where classes > outputs:
      throw TrainingError(
        ExitStatus.badData,
        "\(name): label \(classes - 1) is out of range: the model has \(outputs) outputs, for the "
          + "labels 0 to \(outputs - 1)")
    case .values(let width) where width != outputs:
      throw TrainingError(
        ExitStatus.badData,
        "\(name): \(width) target\(width == 1 ? "" : "s") a sample, and the model has \(outputs) "
          + "outputs: they must be as many")
    default: break
    }
  }
}

extension Dataset {
  /// What two copies of the same data have in common at least.
  fileprivate var shapeDescription: String { "\(count) \(featureExtents) \(targets)" }
}
