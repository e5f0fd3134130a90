import Kernels
import TestSupport
import Testing

@testable import NN

struct PackedWeightTests {
  private let rows = 9

  /// Outputs and gradients of one pass.
  private func result(
    _ network: Network, _ batch: SampleBatch, _ use: Pass.WeightUse, _ kernels: KernelSet
  ) throws -> [Float] {
    let pass = Pass(
      kernels: kernels, shards: ShardRows(undivided: rows), mode: .training, seed: 0, step: 0,
      firstSample: 0, globalRows: rows, batchSum: NoOtherRanks(), weightUse: use)
    var x = batch.x
    return try x.withUnsafeMutableBufferPointer { x in
      let inputs = Matrix(x.baseAddress!, rows: rows, columns: 37)
      let outputs = Array(try network.forward(inputs, pass: pass).elements)
      let gradient = network.outputGradient(rows: rows)
      for i in 0..<gradient.count { gradient.base[i] = batch.values[i] }
      for stage in network.stages.indices.reversed() {
        try network.backward(throughStage: stage, inputs: inputs, pass: pass)
      }
      return outputs + Array(network.gradients.tensors)
    }
  }

  @Test("packed once, weights serve the passes of a batch, with the same bits")
  func passes() throws {
    for instructions in InstructionSet.supported {
      let kernels = KernelSet(instructions)
      let network = try Network(
        [.dense(units: 21), .relu, .dense(units: 40), .dense(units: 5)], inputShape: Shape(37),
        maximumRows: rows)
      network.initialize(seed: 3)
      let batch = SampleBatch(rows: rows, features: 37, outputs: 5, random: 1)
      let expected = try result(network, batch, .once, kernels)
      #expect(try result(network, batch, .first, kernels) == expected)
      #expect(try result(network, batch, .again, kernels) == expected)
      // What has been packed is what is used, until it is packed anew.
      for weight in network.parameters.tensors.indices { network.parameters.base[weight] *= 2 }
      let doubled = try result(network, batch, .once, kernels)
      #expect(doubled != expected)
      #expect(try result(network, batch, .again, kernels).prefix(5) != doubled.prefix(5))
      #expect(try result(network, batch, .first, kernels) == doubled)
    }
  }
}
