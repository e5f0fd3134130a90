import Kernels
import Testing

@testable import NN

/// Some layers, most often one, on a batch of samples: what Oracles/layers.py wrote.
private struct LayerCase: Decodable, Sendable {
  var layers: [RawSetting]
  /// The shape of a sample.
  var input: [Int]
  var rows: Int
  var training: Bool
  /// What drawn inputs are multiplied by, before they are rounded down to whole numbers.
  var wholeBelow: Float?
  /// How many words there are, where inputs are words.
  var words: Int?
  var output: StoredTensor
  /// Nil where there is none.
  var inputGradient: StoredTensor?
  /// Nil where nothing is learned, in evaluation.
  var gradients: [StoredTensor]?
  /// After the pass.
  var state: [StoredTensor]

  enum CodingKeys: String, CodingKey {
    case layers, input, rows, training, words, output, gradients, state
    case wholeBelow = "whole-below"
    case inputGradient = "input-gradient"
  }

  var inputs: [Float] {
    let count = rows * Shape(input).count
    if let words { return DrawnTensor.input.wholeNumbers(count, below: words) }
    let values = DrawnTensor.input.values(count)
    return wholeBelow.map { limit in values.map { ($0 * limit).rounded(.down) } } ?? values
  }
}

extension LayerCase: CustomTestStringConvertible {
  var testDescription: String {
    "\(RawSetting(.list(layers))) of \(Shape(input)) in \(training ? "training" : "evaluation")"
      + (wholeBelow == nil ? "" : ", whole numbers")
  }
}

/// Layers against PyTorch's in float64.
struct LayerOracleTests {
  private static let cases: [LayerCase] = Oracle.cases("layers")

  @Test(
    "a layer's outputs, gradients and state are PyTorch's, but for float32's roundings",
    arguments: cases, InstructionSet.supported)
  private func layer(reference: LayerCase, instructions: InstructionSet) throws {
    let rows = reference.rows
    let probe = LayerSpecification("probe") { Probe(inputShape: $0) }
    let network = try Network(
      [probe] + LayerSpecification.list(of: reference.layers), inputShape: Shape(reference.input),
      maximumRows: rows)
    network.parameters.fill { DrawnTensor.parameter($0).values($1) }
    network.state.fill { DrawnTensor.state($0).values($1).map { $0 + 1.5 } }
    let pass = Pass(
      kernels: KernelSet(instructions), shards: ShardRows(first: 0, ends: [1, 1, rows]),
      mode: reference.training ? .training : .evaluation)
    var x = reference.inputs
    try x.withUnsafeMutableBufferPointer {
      let inputs = Matrix($0.baseAddress!, rows: rows, columns: network.inputShape.count)
      let outputs = try network.forward(inputs, pass: pass)
      #expect(reference.output.faults(of: outputs.elements) == [])
      guard let gradients = reference.gradients else { return }
      let dy = network.outputGradient(rows: rows).elements
      dy.update(DrawnTensor.outputGradient.values(dy.count))
      for stage in network.stages.indices.reversed() {
        try network.backward(throughStage: stage, inputs: inputs, pass: pass)
      }
      #expect(network.gradients.faults(gradients) == [])
      if let expected = reference.inputGradient {
        let probe = try #require(network.stages[0].layer as? Probe)
        #expect(expected.faults(of: probe.gradient) == [])
      }
    }
    #expect(network.state.faults(reference.state) == [])
  }

  @Test("every kind of layer is held against PyTorch's")
  func everyKind() throws {
    func names(_ layers: [LayerSpecification]) -> [String] {
      layers.flatMap { layer in
        guard case .residual(let main, let shortcut) = layer.content else { return [layer.name] }
        return [layer.name] + names(main + shortcut)
      }
    }
    let layers = try LayerOracleTests.cases.flatMap { try LayerSpecification.list(of: $0.layers) }
    #expect(Set(names(layers)) == Set(LayerSpecification.names))
  }
}

/// Hands everything on, and keeps the gradient that comes back: that by the input of the layers
/// behind it.
private final class Probe: Layer {
  let kind = "probe"
  let inputShape: Shape
  var outputShape: Shape { inputShape }
  let backwardReads: BackwardReads = []
  private(set) var gradient: [Float] = []

  init(inputShape: Shape) { self.inputShape = inputShape }

  func forward(_ x: Matrix, into y: Matrix, memory: LayerMemory, pass: Pass) { y.copy(x) }

  func backward(
    _ dy: Matrix, x: Matrix, y: Matrix, into dx: Matrix?, memory: LayerMemory, pass: Pass
  ) {
    gradient = Array(dy.elements)
    dx?.copy(dy)
  }
}
