import Collective
import Datasets
import Foundation
import Kernels
import NN

/// What a run will do, worked out and checked before anything is written: the same on every rank but
/// for the rank's own part of the data.
struct TrainingPlan {
  let configuration: TrainingConfiguration
  let training: any Dataset
  let test: (any Dataset)?
  let sampler: Sampler
  let partition: Partition
  let instructions: InstructionSet

  /// Collective: opens the data on all ranks, or throws on all of them.
  /// - Throws: `RefusedTogether`.
  init(
    _ configuration: TrainingConfiguration, world: World, environment: [String: String]
  ) throws {
    let (training, test, ownSet) = try world.together {
      let set = try InstructionSet.selected(by: environment)
      let training = try configuration.data.open(configuration.data.train, name: "data.train")
      let test = try configuration.data.test.map {
        try configuration.data.open($0, name: "data.test")
      }
      try TrainingPlan.check(configuration, training: training, test: test, ranks: world.size)
      return (training, test, set)
    }
    // All ranks compute with the newest set that every one of them has: so their bits agree.
    let sets = InstructionSet.allCases
    let common = try world.transport.allgather([UInt8(sets.firstIndex(of: ownSet)!)])
    self.configuration = configuration
    self.training = training
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

  private static func check(
    _ configuration: TrainingConfiguration, training: any Dataset, test: (any Dataset)?, ranks: Int
  ) throws {
    let batchSize = configuration.batchSize
    guard batchSize >= ranks else {
      throw TrainingError(
        ExitStatus.usage,
        "training.batch-size: a batch of \(batchSize) sample\(batchSize == 1 ? "" : "s") cannot be "
          + "shared by \(ranks) ranks: raise it to at least \(ranks), or start fewer ranks")
    }
    guard !configuration.isReproducible || configuration.shards >= ranks else {
      throw TrainingError(
        ExitStatus.usage,
        "training.shards: \(configuration.shards) shards cannot be shared by \(ranks) ranks: raise "
          + "it to a power of two of at least \(ranks), or set training.reproducible to false")
    }
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
