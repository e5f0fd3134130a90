import Foundation
import Kernels
import Testing

@testable import NN

/// What batch normalization remembers, and what it asks of the other ranks. Its arithmetic is tested
/// with that of all layers.
struct BatchNormTests {
  private let kernels = KernelSet(InstructionSet.supported.last!)

  private func network(_ settings: RawSetting = RawSetting(.none), shape: Shape) throws -> Network {
    let network = try Network(
      [LayerSpecification("batch-norm", settings)], inputShape: shape, maximumRows: 8)
    network.initialize(seed: 1)
    return network
  }

  private func outputs(
    _ network: Network, _ x: [Float], rows: Int, _ pass: Pass
  ) throws -> [Float] {
    var x = x
    return try x.withUnsafeMutableBufferPointer {
      let inputs = Matrix($0.baseAddress!, rows: rows, columns: network.inputShape.count)
      return Array(try network.forward(inputs, pass: pass).elements)
    }
  }

  private func pass(_ mode: Pass.Mode, rows: Int) -> Pass {
    Pass(kernels: kernels, shards: ShardRows(undivided: rows), mode: mode)
  }

  @Test("state begins with mean 0 and variance 1, and is named after the layer")
  func beginning() throws {
    let network = try network(shape: Shape(4, 2))
    let layout = network.plan.stateLayout
    #expect(
      layout.tensors.map(\.name) == ["0.batch-norm.running-mean", "0.batch-norm.running-variance"])
    #expect(layout.tensors.map(\.shape) == [Shape(2), Shape(2)])
    #expect(layout.tensors.map { Array(network.state.elements(of: $0)) } == [[0, 0], [1, 1]])
    #expect(network.layout.parameterCount == 4)
  }

  /// Exact in Float: means and variances are small multiples of powers of two.
  @Test("running statistics move towards the batch's, the variance over n - 1")
  func running() throws {
    let network = try network(["momentum": 0.5], shape: Shape(1))
    // Mean 2, squares 4 + 0 + 4 + 16 + 16 + 4 + 0 + 4 over 7: chosen for 28 / 7.
    let x: [Float] = [1, 3, 1, 3, 5, -1, 2, 2]
    _ = try outputs(network, x, rows: 8, pass(.training, rows: 8))
    let squares = x.reduce(Float(0)) { $0 + ($1 - 2) * ($1 - 2) }
    #expect(network.state.base[0] == 1)
    #expect(network.state.base[16] == 1 + 0.5 * (squares / 7 - 1))
    _ = try outputs(network, x, rows: 8, pass(.training, rows: 8))
    #expect(network.state.base[0] == 1.5)
  }

  @Test("one value has variance 0, not an undefined one")
  func oneValue() throws {
    let network = try network(shape: Shape(3))
    let y = try outputs(network, [5, -2, 0], rows: 1, pass(.training, rows: 1))
    #expect(y == [0, 0, 0])
    #expect(network.state.all.allSatisfy { $0.isFinite })
  }

  @Test("evaluation uses the running statistics, changes nothing, and sees each row by itself")
  func evaluation() throws {
    let network = try network(["epsilon": 0.75], shape: Shape(2))
    network.state.base[0] = 1
    network.state.base[1] = -3
    network.state.base[16] = 0.25
    network.state.base[17] = 15.25
    let before = Array(network.state.all)
    let y = try outputs(network, [1, 1, 2, -3, 0, 5], rows: 3, pass(.evaluation, rows: 3))
    // Divided by 1 and by 4.
    #expect(y == [0, 1, 1, 0, -1, 2])
    #expect(Array(network.state.all) == before)
  }

  /// Stands for a rank that holds the same rows.
  private final class Twin: BatchSum {
    var counts: [Int] = []
    func sum(_ values: UnsafeMutableBufferPointer<Float>, stride: Int) {
      counts.append(values.count)
      for i in values.indices { values[i] *= 2 }
    }
  }

  @Test("sums go over all ranks: two with the same rows are as one with all rows twice")
  func twoRanks() throws {
    let layers = [
      LayerSpecification.dense(units: 6), try LayerSpecification("batch-norm"), .dense(units: 3),
    ]
    let batch = SampleBatch(rows: 4, features: 5, outputs: 3, random: 1)
    var twice = batch
    twice.rows = 8
    twice.x += batch.x
    twice.values += batch.values
    func train(_ batch: SampleBatch, _ pass: Pass) throws -> Network {
      let network = try Network(layers, inputShape: Shape(5), maximumRows: 8)
      network.initialize(seed: 3)
      try network.computeGradients(batch, loss: .squaredError, pass: pass)
      return network
    }
    let twin = Twin()
    // Equal shards: their sum is a doubling, in the tree as here.
    let half = try train(
      batch,
      Pass(
        kernels: kernels, shards: ShardRows(first: 0, ends: [4]), mode: .training, seed: 0,
        step: 0, firstSample: 0, globalRows: 8, batchSum: twin))
    let whole = try train(
      twice,
      Pass(kernels: kernels, shards: ShardRows(first: 0, ends: [4, 8]), mode: .training))
    // Means, squares, and both gradients at once.
    #expect(twin.counts == [6, 6, 12])
    #expect(half.state.all.map(\.bitPattern) == whole.state.all.map(\.bitPattern))
    #expect(half.gradients.all.map { 2 * $0 } == Array(whole.gradients.all))
  }

  @Test("a first layer's input needs no gradient, and no sum for it")
  func firstLayer() throws {
    let twin = Twin()
    let network = try network(shape: Shape(5))
    try network.computeGradients(
      SampleBatch(rows: 4, features: 5, outputs: 5, random: 1), loss: .squaredError,
      pass: Pass(
        kernels: kernels, shards: ShardRows(undivided: 4), mode: .training, seed: 0, step: 0,
        firstSample: 0, globalRows: 8, batchSum: twin))
    #expect(twin.counts == [5, 5])
  }
}
