import Datasets
import NN

/// What a configuration's model is made of and what it takes, worked out without a step of training.
public struct ModelInspection {
  public struct Layer {
    /// Where it stands in the configuration: `3`, or `3.0` within a block.
    public var number: String
    public var kind: String
    public var outputShape: Shape
    /// Elements that it learns, and that it remembers without learning them.
    public var parameters: Int
    public var state: Int
  }

  public var inputShape: Shape
  public var layers: [Layer]
  /// Elements in all.
  public var parameters: Int
  public var state: Int
  public var ranks: Int
  /// Samples in the largest part of a batch that a rank works on.
  public var rowsPerRank: Int
  /// Of the rank with the most rows.
  public var memory: MemoryNeed
  /// Bytes of each allreduce of gradients in a step, in the order in which they start.
  public var bucketBytes: [Int]
  /// Bytes of each sum over the batch that layers ask for in a step, layer by layer; an allreduce too.
  public var batchSumBytes: [Int]

  /// Opens the data that the configuration names, for their shapes.
  /// - Throws: `DatasetError`, `ShapeError`, `SparseInputError`, `NetworkTooLarge`; `TrainingError` if there is no work
  ///   for so many ranks.
  public init(_ configuration: TrainingConfiguration, ranks: Int) throws {
    try configuration.requireWork(forRanks: ranks)
    let (training, test) = try configuration.data.openAll()
    let network = try NetworkPlan(
      configuration.model, inputShape: Shape(training.featureExtents))
    if training.sparseFeatures != nil { try network.requireSparseInput() }
    try configuration.requireWholeBatches(for: network)
    self.ranks = ranks
    inputShape = network.inputShape
    layers = network.stages.map { stage in
      func count(_ tensors: [Parameter]?) -> Int {
        (tensors ?? []).reduce(0) { $0 + $1.shape.count }
      }
      return Layer(
        number: stage.number, kind: stage.kind, outputShape: stage.outputShape,
        parameters: count(stage.layer?.parameters), state: count(stage.layer?.state))
    }
    parameters = network.layout.parameterCount
    state = network.stateLayout.parameterCount
    rowsPerRank = configuration.largestRows(
      ranks: ranks, samples: max(training.count, test?.count ?? 0))
    memory = MemoryNeed(
      network, configuration, rows: rowsPerRank, ranks: ranks)
    memory.add(training, test, rows: rowsPerRank)
    memory.addWorkspace(network, on: training, configuration, rows: rowsPerRank, ranks: ranks)
    bucketBytes = network.bucketBytes(atLeast: configuration.bucketBytes)
    batchSumBytes = network.stages.flatMap { $0.layer?.batchSums ?? [] }
      .map { $0 * MemoryLayout<Float>.stride }
  }
}

extension NetworkPlan {
  /// Bytes of each allreduce of gradients in a step, in the order in which they start.
  func bucketBytes(atLeast least: Int) -> [Int] {
    var buckets = GradientBuckets(count: layout.count + GradientTail.count, bucketBytes: least)
    return gradientOffsets.reversed().compactMap {
      buckets.next(filledFrom: $0).map { 4 * $0.count }
    }
  }
}
