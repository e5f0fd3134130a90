import Kernels
import Testing

@testable import NN

/// What makes training independent of the number of ranks: a network's gradients over a run of
/// shards are a subtree of one sum.
struct ShardedTrainingTests {
  static let layers: [LayerSpecification] = [
    .dense(units: 33), .relu, try! LayerSpecification("dropout", 0.3),
    .residual([.dense(units: 33), try! LayerSpecification("layer-norm"), .relu]),
    .dense(units: 10),
  ]
  static let features = 21

  private func network(rows: Int) throws -> Network {
    let network = try Network(
      ShardedTrainingTests.layers, inputShape: Shape(ShardedTrainingTests.features),
      maximumRows: rows, gradientTail: 16)
    network.initialize(seed: 5)
    return network
  }

  private func batch(rows: Int, random number: Int) -> SampleBatch {
    SampleBatch(rows: rows, features: ShardedTrainingTests.features, outputs: 10, random: number)
  }

  /// The rows of shards `run` of 8 within the batch, and how they belong to shards.
  private func rows(of run: Range<Int>, batch: Int) -> (rows: Range<Int>, shards: ShardRows) {
    let start = run.lowerBound * batch / 8
    let ends = run.map { ($0 + 1) * batch / 8 - start }
    return (start..<start + ends.last!, ShardRows(first: run.lowerBound, ends: ends))
  }

  /// Neighbours first, then pairs of pairs.
  private func addUp(_ ranks: [[Float]]) -> [Float] {
    if ranks.count == 1 { return ranks[0] }
    let left = addUp(Array(ranks[..<(ranks.count / 2)]))
    let right = addUp(Array(ranks[(ranks.count / 2)...]))
    return zip(left, right).map { $0 + $1 }
  }

  /// Steps of `ranks` networks whose gradients are added along the tree.
  /// - Returns: the parameters' bits on every rank, and the losses' bits of every step.
  private func train(
    ranks: Int, batchSize: Int, loss: Loss, kernels: KernelSet
  ) throws -> (parameters: [[UInt32]], losses: [UInt32]) {
    let networks = try (0..<ranks).map { _ in try network(rows: batchSize) }
    let optimizers = networks.map { SGD(layout: $0.layout, momentum: 0.9, weightDecay: 1e-3) }
    var losses: [UInt32] = []
    for step in 0..<3 {
      let batch = batch(rows: batchSize, random: step)
      for (rank, network) in networks.enumerated() {
        let (rows, shards) = rows(of: rank * 8 / ranks..<(rank + 1) * 8 / ranks, batch: batchSize)
        let pass = Pass(
          kernels: kernels, shards: shards, mode: .training, seed: 2, step: step,
          firstSample: rows.lowerBound, globalRows: batchSize, batchSum: NoOtherRanks())
        network.gradients.tail[0] = try network.computeGradients(
          batch.part(rows), loss: loss, pass: pass)
      }
      let sum = addUp(networks.map { Array($0.gradients.all) })
      for (network, optimizer) in zip(networks, optimizers) {
        network.gradients.all.update(sum)
        optimizer.step(
          network.parameters, gradients: network.gradients,
          GradientTerms(scale: 1 / Float(batchSize)), learningRate: 0.1, kernels: kernels)
      }
      losses.append(networks[0].gradients.tail[0].bitPattern)
    }
    return (networks.map { $0.parameters.all.map(\.bitPattern) }, losses)
  }

  @Test(
    "2, 4 and 8 ranks end with the parameters and losses of one rank, bit for bit",
    arguments: InstructionSet.supported, [64, 29, 5])
  func ranks(instructions: InstructionSet, batchSize: Int) throws {
    let kernels = KernelSet(instructions)
    for loss in Loss.all {
      let one = try train(ranks: 1, batchSize: batchSize, loss: loss, kernels: kernels)
      for ranks in [2, 4, 8] {
        let several = try train(ranks: ranks, batchSize: batchSize, loss: loss, kernels: kernels)
        #expect(several.losses == one.losses)
        #expect(several.parameters.allSatisfy { $0 == one.parameters[0] }, "\(ranks) ranks")
      }
      #expect(Set(one.losses).count == 3)
    }
  }

  /// The oracle takes one sample at a time and adds their gradients in Double. A sample's share is
  /// the same in any batch, so the slab differs by the roundings of a sum only: as many as there
  /// are rows, three for a tree of eight shards, and one for the product.
  @Test(
    "any split into shards has the sum of the samples' gradients",
    arguments: [[24], [12, 24], [0, 24, 24], [1, 2, 3, 24], [3, 6, 9, 12, 15, 18, 21, 24]])
  func splits(ends: [Int]) throws {
    let kernels = KernelSet(InstructionSet.supported.last!)
    let batch = batch(rows: 24, random: 9)
    let network = try network(rows: 24)
    let indices = network.layout.tensors.flatMap { Array($0.range) }
    var sums = [Double](repeating: 0, count: network.layout.count)
    var magnitudes = sums
    for row in 0..<24 {
      try network.computeGradients(
        batch.part(row..<row + 1), loss: .softmaxCrossEntropy,
        pass: Pass(
          kernels: kernels, shards: ShardRows(undivided: 1), mode: .training, seed: 0, step: 0,
          firstSample: row, globalRows: 24, batchSum: NoOtherRanks()))
      for i in indices {
        let share = Double(network.gradients.base[i])
        sums[i] += share
        magnitudes[i] += share.magnitude
      }
    }
    network.gradients.all.update(repeating: .nan)
    try network.computeGradients(
      batch, loss: .softmaxCrossEntropy, shards: ShardRows(first: 0, ends: ends), kernels: kernels)
    let wrong = indices.count {
      !((Double(network.gradients.base[$0]) - sums[$0]).magnitude
        <= Double(24 + 3 + 2) * unitRoundoff * magnitudes[$0])
    }
    #expect(wrong == 0)
  }

  @Test("a network that has seen a larger batch computes the same")
  func smallerBatch() throws {
    let kernels = KernelSet(.baseline)
    let (large, small) = (batch(rows: 24, random: 1), batch(rows: 7, random: 2))
    let (used, fresh) = (try network(rows: 24), try network(rows: 7))
    try used.computeGradients(
      large, loss: .softmaxCrossEntropy, shards: ShardRows(undivided: 24), kernels: kernels)
    for network in [used, fresh] {
      try network.computeGradients(
        small, loss: .softmaxCrossEntropy, shards: ShardRows(undivided: 7), kernels: kernels)
    }
    #expect(used.gradients.all.map(\.bitPattern) == fresh.gradients.all.map(\.bitPattern))
  }

  @Test("a rank without rows has gradient zero")
  func noRows() throws {
    let kernels = KernelSet(.baseline)
    let network = try network(rows: 3)
    network.gradients.tensors.update(repeating: .nan)
    let sum = try network.computeGradients(
      batch(rows: 0, random: 1), loss: .squaredError, shards: ShardRows(first: 2, ends: [0, 0]),
      kernels: kernels)
    #expect(sum == 0)
    for tensor in network.layout.tensors {
      #expect(network.gradients.elements(of: tensor).allSatisfy { $0 == 0 })
    }
  }
}
