import Datasets
import NN

/// The memory that one rank needs for its copy of a network and its part of a batch, in bytes. In
/// floating point: what is asked for may be far beyond any machine.
public struct MemoryNeed {
  public var parameters: Double
  public var gradients: Double
  /// Momentum and its like: a slab for each state that the optimizer keeps.
  public var optimizer: Double
  /// What layers remember without learning it.
  public var state: Double
  /// Outputs of layers, and gradients by them.
  public var activations: Double
  /// Two batches of inputs, one of which is being filled while the other is worked on.
  public var batches: Double
  /// Of the layers.
  public var workspace = 0.0

  /// Everything but the layers' workspace.
  /// - Parameter rows: of the rank's largest batch.
  public init(_ network: NetworkPlan, optimizer specification: OptimizerSpecification, rows: Int) {
    let float = Double(MemoryLayout<Float>.stride)
    let slab = float * Double(network.layout.count)
    parameters = slab
    gradients = slab
    optimizer = Double(specification.stateCount) * slab
    state = float * Double(network.stateLayout.count)
    activations = float * Double(network.floatsPerRow) * Double(rows)
    batches = 2 * float * Double(network.inputShape.count) * Double(rows)
  }

  public var total: Double {
    parameters + gradients + optimizer + state + activations + batches + workspace
  }
}

extension TrainingConfiguration {
  /// Rows of the largest batch that any of `ranks` ranks may have, of data sets of up to `samples`
  /// samples.
  func largestRows(ranks: Int, samples: Int) -> Int {
    let partition = Partition(shards: isReproducible ? shards : ranks, ranks: ranks)
    let size = min(batchSize, samples)
    return (0..<ranks).map { partition.samples(ofRank: $0, batchSize: size).count }.max()!
  }
}
