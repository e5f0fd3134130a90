import Datasets
import Foundation
import Kernels
import NN

/// The memory that one rank needs for its copy of a network and its part of a batch, in bytes. In
/// floating point: what is asked for may be far beyond any machine.
public struct MemoryNeed {
  public var parameters: Double
  /// A plane for each sum that waits for those of other passes, or ranks.
  public var gradients: Double
  /// Momentum and its like: a slab for each state that the optimizer keeps.
  public var optimizer: Double
  /// What layers remember without learning it, and what they remembered before the step.
  public var state: Double
  /// Outputs of layers, and gradients by them.
  public var activations: Double
  /// Two batches of inputs, one of which is being filled while the other is worked on; a rank that
  /// may use one processor only has but one.
  public var batches = 0.0
  /// Of the data themselves, where every rank has them in memory of its own.
  public var data = 0.0
  /// The copy of parameters and states that is being saved: the root has it.
  public var checkpoint: Double
  /// Of the layers.
  public var workspace = 0.0
  /// In which kernels pack operands and keep partial sums, on all threads.
  public var scratch = 0.0

  /// Everything but workspace, scratch and the data.
  /// - Parameters:
  ///   - rows: of the rank's largest batch.
  ///   - ranks: that share a batch.
  public init(
    _ network: NetworkPlan, _ configuration: TrainingConfiguration, rows: Int, ranks: Int
  ) {
    let float = Double(MemoryLayout<Float>.stride)
    let slab = float * Double(network.layout.count)
    parameters = slab
    let planes = AccumulationPlan.planes(
      configuration.partition(ranks: ranks), passes: configuration.passes)
    gradients = Double(planes) * slab
    optimizer = Double(configuration.optimizer.specification.stateCount) * slab
    state = 2 * float * Double(network.stateLayout.count)
    let saved =
      network.layout.parameterCount * (1 + configuration.optimizer.specification.stateCount)
      + network.stateLayout.parameterCount
    checkpoint = configuration.checkpoint.isOn ? float * Double(saved) : 0
    activations = float * Double(network.floatsPerRow) * Double(configuration.rowsOfPass(rows))
  }

  /// Counts the data too, of which a rank has up to `rows` samples in a batch.
  mutating func add(_ training: any Dataset, _ test: (any Dataset)?, rows: Int) {
    let parts = [training] + (test.map { [$0] } ?? [])
    batches = 2 * parts.map { $0.batchBytes(ofRows: rows) }.max()!
    data = parts.reduce(0) { $0 + $1.residentBytes }
  }

  public var total: Double {
    parameters + gradients + optimizer + state + activations + batches + workspace + scratch
      + data + checkpoint
  }

  /// Counts workspace and scratch: of a batch that fits otherwise.
  /// - Parameter rows: of the rank's largest batch.
  mutating func addWorkspace(
    _ network: NetworkPlan, on training: any Dataset, _ configuration: TrainingConfiguration,
    rows: Int, ranks: Int
  ) {
    let float = Double(MemoryLayout<Float>.stride)
    let rows = configuration.rowsOfPass(rows)
    workspace = float * Double(network.workspaceCount(rows: rows))
    if configuration.passes > 1 { workspace += float * Double(network.packedWeightCount) }
    let need = network.scratch(
      on: training, rows: rows, shards: configuration.shards(ranks: ranks),
      threads: configuration.threads)
    scratch = float * Double(need.count(threads: configuration.threads))
  }
}

extension NetworkPlan {
  /// What kernels need of scratch memory for batches of up to `rows` samples of a data set.
  func scratch(on training: any Dataset, rows: Int, shards: Int, threads: Int) -> ScratchNeed {
    var need = scratch(rows: rows, shards: shards, threads: threads)
    if let sparse = training.sparseFeatures {
      // Sums are those of the layer that reads the samples, which has counted them.
      need.add(
        .sparseTranspose(
          elements: sparse.mostElements(ofRows: rows), columns: training.featureCount, outputs: 0,
          shards: shards))
    }
    return need
  }
}

extension TrainingConfiguration {
  /// Who gets which shards.
  func partition(ranks: Int) -> Partition {
    Partition(shards: shards(ranks: ranks), ranks: ranks)
  }

  /// Rows of a pass over a rank's `rows`, at most, where ranks hold whole subtrees of shards.
  func rowsOfPass(_ rows: Int) -> Int { (rows + passes - 1) / passes }

  /// Shards of a batch: where sums need not follow them, one for each pass of each rank.
  func shards(ranks: Int) -> Int { isReproducible ? shards : ranks * passes }

  /// Rows of the largest batch that any of `ranks` ranks may have, of data sets of up to `samples`
  /// samples.
  func largestRows(ranks: Int, samples: Int) -> Int {
    let partition = partition(ranks: ranks)
    let size = min(batchSize, samples)
    return (0..<ranks).map { partition.samples(ofRank: $0, batchSize: size).count }.max()!
  }
}
