import Kernels
import Testing

@testable import NN

/// A network from inputs to the loss: what Oracles/network.py wrote.
private struct NetworkCase: Decodable, Sendable {
  var layers: [RawSetting]
  /// The shape of a sample.
  var input: [Int]
  var rows: Int
  var loss: String
  var losses: StoredTensor
  /// Of their sum, by each parameter.
  var gradients: [StoredTensor]

  /// Multiples of 1/8 up to 1/2.
  static func eighths(_ tensor: DrawnTensor, _ count: Int) -> [Float] {
    tensor.values(count).map { ($0 * 4).rounded(.toNearestOrEven) / 8 }
  }
}

/// A whole network against PyTorch's in float64.
struct NetworkOracleTests {
  private static let cases: [NetworkCase] = Oracle.cases("network")

  @Test(
    "a network's losses and the gradients by all its parameters are PyTorch's",
    arguments: cases.indices, InstructionSet.supported)
  func network(number: Int, instructions: InstructionSet) throws {
    let reference = NetworkOracleTests.cases[number]
    let rows = reference.rows
    let network = try Network(
      LayerSpecification.list(of: reference.layers), inputShape: Shape(reference.input),
      maximumRows: rows)
    network.parameters.fill { NetworkCase.eighths(.parameter($0), $1) }
    let pass = Pass(
      kernels: KernelSet(instructions), shards: ShardRows(first: 0, ends: [1, 2, rows]),
      mode: .training)
    let labels = DrawnTensor.targets.wholeNumbers(rows, below: network.outputShape.count)
      .map(Int32.init)
    var x = NetworkCase.eighths(.input, rows * network.inputShape.count)
    var losses = [Float](repeating: .nan, count: rows)
    try x.withUnsafeMutableBufferPointer { x in
      let inputs = Matrix(x.baseAddress!, rows: rows, columns: network.inputShape.count)
      let outputs = try network.forward(inputs, pass: pass)
      let loss = try Loss(reference.loss)
      labels.withUnsafeBufferPointer {
        loss.evaluate(
          outputs, .labels($0.baseAddress!), losses: &losses,
          gradient: network.outputGradient(rows: rows), kernels: pass.kernels)
      }
      for stage in network.stages.indices.reversed() {
        try network.backward(throughStage: stage, inputs: inputs, pass: pass)
      }
    }
    #expect(reference.losses.faults(of: losses) == [])
    #expect(network.gradients.faults(reference.gradients) == [])
  }
}
