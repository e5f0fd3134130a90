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
  let identity: DataIdentity
  let network: NetworkPlan
  /// Of the rank with the most rows.
  let memory: MemoryNeed
  let sampler: Sampler
  let partition: Partition
  private let kernels: KernelAgreement
  /// What the allreduce's method is chosen by.
  let choice: MethodChoice
  /// Where threads outnumber processors, if they do on any host.
  let crowding: Crowding?

  /// Collective: opens the data on all ranks, or throws on all of them.
  /// - Parameter recorded: the kernel set that a run to go on with was computed with.
  /// - Throws: `JointFailure`.
  init(
    _ configuration: TrainingConfiguration, world: World, environment: [String: String],
    kernels recorded: InstructionSet? = nil
  ) throws {
    kernels = try KernelAgreement(
      among: world, environment: environment, preferring: recorded)
    let (training, test, network, memory, identity, choice) = try world.together {
      let (training, test) = try configuration.data.openAll()
      let (network, memory) = try TrainingPlan.network(
        configuration, training: training, test: test, world: world)
      let identity = DataIdentity(training: training, test: test)
      return (training, test, network, memory, identity, try configuration.methodChoice())
    }
    try world.requireEqual(
      identity.description, "the data are", exitCode: ExitStatus.badData)
    if case .table(let table) = choice {
      try world.requireEqual(
        String(decoding: try table.json(), as: UTF8.self), "the tuning table is",
        exitCode: ExitStatus.usage)
    }
    self.configuration = configuration
    self.training = training
    self.choice = choice
    self.test = test
    self.network = network
    self.memory = memory
    self.identity = identity
    crowding = try configuration.threads == 1 ? nil : Crowding(configuration, world: world)
    sampler = Sampler(
      count: training.count, batchSize: configuration.batchSize, seed: configuration.seed,
      shuffles: configuration.shuffles)
    partition = configuration.partition(ranks: world.size)
  }

  /// Steps of the whole run.
  var totalSteps: Int { configuration.totalSteps(batchesPerEpoch: sampler.batchesPerEpoch) }

  /// What is done to stored features before the network sees them, in JSON.
  var preprocessing: String { #"{"scale":\#(training.featureScale)}"# }

  /// What all ranks compute with.
  var instructions: InstructionSet { kernels.instructions }

  /// What a user should know before the run begins.
  var warnings: [String] { [kernels.compromise, crowding?.description].compactMap { $0 } }

  /// The network for the data, if model, data, ranks and memory go together.
  private static func network(
    _ configuration: TrainingConfiguration, training: any Dataset, test: (any Dataset)?,
    world: World
  ) throws -> (NetworkPlan, MemoryNeed) {
    try configuration.requireWork(forRanks: world.size)
    let network = try NetworkPlan(
      configuration.model, inputShape: Shape(training.featureExtents))
    if training.sparseFeatures != nil { try network.requireSparseInput() }
    try configuration.requireWholeBatches(for: network)
    let samples = max(training.count, test?.count ?? 0)
    let memory = try memory(
      for: network, configuration, training: training, test: test,
      rows: configuration.largestRows(ranks: world.size, samples: samples), world: world)
    let targets = TargetCheck(outputs: network.outputShape.count, loss: configuration.loss)
    try targets.check(training, name: "data.train")
    if let test {
      guard test.featureCount == training.featureCount else {
        throw TrainingError(
          ExitStatus.badData,
          "data.test: samples have \(test.featureCount) features, those of data.train have "
            + "\(training.featureCount)")
      }
      try targets.check(test, name: "data.test")
    }
    return (network, memory)
  }

  /// The memory of a rank with so many rows. Refuses a model that cannot fit into this machine,
  /// before anything is allocated for it.
  private static func memory(
    for network: NetworkPlan, _ configuration: TrainingConfiguration, training: any Dataset,
    test: (any Dataset)?, rows: Int, world: World
  ) throws -> MemoryNeed {
    var need = MemoryNeed(network, configuration, rows: rows, ranks: world.size)
    need.add(training, test, rows: rows)
    let available = Double(ProcessInfo.processInfo.physicalMemory)
    func check() throws {
      let bytes = need.total * Double(world.ranksOnThisHost)
      guard bytes <= available else {
        throw TrainingError(
          ExitStatus.usage,
          String(
            format: "model: %ld parameters and a batch of %d need %.1f GB on a host with %.1f GB: "
              + "make the layers or training.batch-size smaller", network.layout.parameterCount,
            configuration.batchSize, bytes / 1e9, available / 1e9))
      }
    }
    try check()
    // Counted only for a batch that fits.
    need.addWorkspace(network, on: training, configuration, rows: rows, ranks: world.size)
    try check()
    return need
  }
}
