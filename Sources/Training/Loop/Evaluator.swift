import Collective
import Datasets
import Kernels
import NN

/// Holds the network against the test set, every rank on its part.
///
/// Sums are kept per shard and added in the shards' order, so that the result is the same, bit for
/// bit, on any number of ranks.
final class Evaluator {
  struct Result: Codable, Equatable {
    /// Mean over samples.
    var loss: Double
    /// From 0 to 1, where targets are labels.
    var accuracy: Double?
  }

  private let dataset: any Dataset
  private let sampler: Sampler
  private let partition: Partition
  private let accumulation: AccumulationPlan
  private let loss: Loss
  private let losses: AlignedBuffer
  /// Of each shard: loss sum, correct predictions. Other ranks' shards are zero here before the
  /// sum. Behind them, how many ranks were asked to stop.
  private let sums: AlignedBuffer
  private let rank: Int
  private let pulse: Pulse

  init(
    _ dataset: any Dataset, batchSize: Int, partition: Partition, rank: Int,
    accumulation: AccumulationPlan, loss: Loss, pulse: Pulse
  ) {
    self.dataset = dataset
    self.partition = partition
    self.accumulation = accumulation
    self.rank = rank
    self.loss = loss
    self.pulse = pulse
    sampler = Sampler(count: dataset.count, batchSize: batchSize, seed: 0, shuffles: false)
    losses = AlignedBuffer(
      count: accumulation.maximumRows(partition, rank: rank, sampler: sampler))
    sums = AlignedBuffer(count: 2 * partition.shards + 1)
  }

  /// Rows of this rank's largest pass.
  var maximumRows: Int { losses.count }

  /// Collective.
  /// - Returns: nil, on all ranks alike, if one of them was asked to stop meanwhile.
  func evaluate(
    _ network: Network, group: ProcessGroup, kernels: KernelSet, interruption: any Interruption
  ) throws -> Result? {
    sums.elements.update(repeating: 0)
    var lossSums = [Double](repeating: 0, count: partition.shards)
    let stream = BatchStream(
      dataset, sampler: sampler, partition: partition, rank: rank,
      range: 0..<sampler.batchesPerEpoch, instructions: kernels.instructions)
    while !interruption.isRequested, let batch = stream.next() {
      pulse.beat()
      for pass in accumulation.passes {
        try evaluate(batch.part(pass.shards), network, kernels: kernels, lossSums: &lossSums)
      }
    }
    for shard in partition.shards(of: rank) { sums.base[2 * shard] = Float(lossSums[shard]) }
    sums.base[2 * partition.shards] = interruption.isRequested ? 1 : 0
    try group.allreduce(sums.elements)
    guard sums.base[2 * partition.shards] == 0 else { return nil }

    let shards = 0..<partition.shards
    let count = Double(dataset.count)
    return Result(
      loss: shards.reduce(0) { $0 + Double(sums.base[2 * $1]) } / count,
      accuracy: loss.usesLabels
        ? shards.reduce(0) { $0 + Double(sums.base[2 * $1 + 1]) } / count : nil)
  }

  /// Adds up the losses and correct predictions of some rows.
  private func evaluate(
    _ part: BatchPart, _ network: Network, kernels: KernelSet, lossSums: inout [Double]
  ) throws {
    let outputs = try network.forward(
      part.inputs, pass: Pass(kernels: kernels, shards: part.shards, mode: .evaluation))
    loss.evaluate(
      outputs, part.targets(loss), losses: losses.base,
      gradient: network.outputGradient(rows: part.rows), kernels: kernels)
    for i in 0..<part.shards.count {
      let shard = part.shards.first + i
      let rows = part.shards.rows(of: i)
      for row in rows { lossSums[shard] += Double(losses.base[row]) }
      if loss.usesLabels {
        let shardOutputs = Matrix(
          outputs.row(rows.lowerBound), rows: rows.count, columns: outputs.columns)
        sums.base[2 * shard + 1] += Float(
          countCorrect(shardOutputs, labels: part.labels + rows.lowerBound))
      }
    }
  }
}

extension BatchPart {
  /// The targets of the kind that `loss` wants.
  func targets(_ loss: Loss) -> Targets {
    loss.usesLabels ? .labels(labels) : .values(values)
  }
}
