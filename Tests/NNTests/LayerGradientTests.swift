import Kernels
import Testing

@testable import NN

/// Each layer by itself: the gradients by its parameters and by its input, against differences of
/// sum(dy y), in Double.
struct LayerGradientTests {
  struct Case: CustomTestStringConvertible, Sendable {
    var layer: LayerSpecification
    var inputShape = Shape(6)
    /// Roundings of a forward or backward pass of terms that add up to no more than 8.
    var roundings = 7.0
    /// Whether inputs are whole numbers from 0 to 3.
    var isOfIndices = false
    var testDescription: String { "\(layer) of \(inputShape)" }
  }

  static let cases = [
    Case(layer: .dense(units: 1)), Case(layer: .dense(units: 7)), Case(layer: .relu),
    Case(layer: .dense(units: 3), inputShape: Shape(1, 3, 2)),
    Case(layer: named("dense", ["units": 4, "bias": false])),
    // Its inputs are whole numbers, which have no differences.
    Case(
      layer: named("embedding", ["words": 4, "dimension": 3]), inputShape: Shape(2, 3),
      isOfIndices: true),
    Case(layer: named("flatten"), inputShape: Shape(2, 3)),
    Case(layer: named("leaky-relu")), Case(layer: named("leaky-relu", 0.3)),
    Case(layer: named("leaky-relu", 0.0)),
    Case(layer: named("sigmoid")), Case(layer: named("tanh")), Case(layer: named("gelu")),
    Case(layer: named("gelu", ["approximate": "tanh"])),
    Case(layer: named("dropout", 0.4), inputShape: Shape(37)), Case(layer: named("dropout", 0.0)),
    // Divided by the deviation of five numbers, which is rarely below a tenth.
    Case(layer: named("batch-norm"), roundings: 100),
    Case(layer: named("batch-norm", ["epsilon": 0.5]), inputShape: Shape(2, 3, 5), roundings: 100),
    Case(layer: named("layer-norm"), roundings: 100),
    Case(layer: named("layer-norm", ["epsilon": 0.5]), inputShape: Shape(2, 3, 5), roundings: 100),
    Case(
      layer: try! LayerSpecification("conv", ["filters": 3, "kernel": 2]),
      inputShape: Shape(3, 4, 2), roundings: 12),
    Case(
      layer: try! LayerSpecification(
        "conv", ["filters": 2, "kernel": [3, 2], "stride": 2, "padding": "same", "bias": false]),
      inputShape: Shape(4, 5), roundings: 12),
    Case(
      layer: try! LayerSpecification("conv", ["filters": 4, "kernel": 1]),
      inputShape: Shape(2, 2, 3)),
    Case(layer: try! LayerSpecification("max-pool", 2), inputShape: Shape(4, 5, 3)),
    Case(
      layer: try! LayerSpecification(
        "max-pool", ["size": [3, 2], "stride": 1, "padding": "same"]),
      inputShape: Shape(4, 3)),
    Case(layer: try! LayerSpecification("average-pool", 2), inputShape: Shape(4, 4, 3)),
    Case(
      layer: try! LayerSpecification("average-pool", ["size": 3, "stride": 2, "padding": 1]),
      inputShape: Shape(5, 4, 2)),
    Case(layer: try! LayerSpecification("global-average-pool"), inputShape: Shape(3, 3, 2)),
  ]

  private static func named(
    _ name: String, _ settings: RawSetting = RawSetting(.none)
  ) -> LayerSpecification {
    try! LayerSpecification(name, settings)
  }

  static let rows = 5

  @Test(
    "a layer's gradients are the differences of its outputs", arguments: cases,
    InstructionSet.supported)
  func differences(test: Case, instructions: InstructionSet) throws {
    let rows = LayerGradientTests.rows
    let stage = try NetworkPlan([test.layer], inputShape: test.inputShape).stages[0]
    let layer = try #require(stage.layer)
    let (features, units) = (test.inputShape.count, layer.outputShape.count)
    let pass = Pass(
      kernels: KernelSet(instructions), shards: ShardRows(first: 0, ends: [2, 2, rows]),
      mode: .training, seed: 5, step: 3, firstSample: 7, globalRows: rows,
      batchSum: NoOtherRanks())
    // Tensors: x, dy, y, dx, the parameters and their gradients, state and workspace.
    let parameterCounts = layer.parameters.map(\.shape.count)
    let counts =
      [rows * features, rows * units, rows * units, rows * features] + parameterCounts
      + parameterCounts + layer.state.map(\.shape.count) + [layer.workspaceCount(rows: rows)]
    let buffers = counts.enumerated().map { number, count in
      let buffer = AlignedBuffer(count: count)
      buffer.elements.update(randomValues(count, 50 + number))
      return buffer
    }
    try withExtendedLifetime(buffers) {
      let x = Matrix(buffers[0].base, rows: rows, columns: features)
      let dy = Matrix(buffers[1].base, rows: rows, columns: units)
      let y = Matrix(buffers[2].base, rows: rows, columns: units)
      let dx = Matrix(buffers[3].base, rows: rows, columns: features)
      let parameters = buffers[4...].prefix(parameterCounts.count)
      let gradients = buffers[(4 + parameterCounts.count)...].prefix(parameterCounts.count)
      let state = buffers[(4 + 2 * parameterCounts.count)...].prefix(layer.state.count)
      let memory = LayerMemory(
        weights: parameters.map(\.base), gradients: gradients.map(\.base),
        state: state.map(\.base), workspace: buffers.last!.base, number: 0)
      if test.isOfIndices {
        for i in 0..<x.count { x.base[i] = (2 * (x.base[i] + 1)).rounded(.down) }
      }
      try layer.forward(x, into: y, memory: memory, pass: pass)
      try layer.backward(dy, x: x, y: y, into: dx, memory: memory, pass: pass)

      // By x, then by each parameter.
      let values = ([x.elements] + parameters.map(\.elements)).map { $0.map(Double.init) }
      let analytic = [dx.elements] + gradients.map(\.elements)
      func outputs(_ values: [[Double]]) -> [[Double]] {
        let x = (0..<rows).map { Array(values[0][$0 * features..<($0 + 1) * features]) }
        return ReferenceRun(weights: Array(values[1...]), pass: pass).forward(
          [test.layer], x, test.inputShape)
      }
      let tolerance = test.roundings * 8 * unitRoundoff
      for (value, exact) in zip(y.elements, outputs(values).joined()) {
        #expect((Double(value) - exact).magnitude <= tolerance)
      }
      func objective(_ values: [[Double]]) -> Double {
        zip(dy.elements, outputs(values).joined()).reduce(0) { $0 + Double($1.0) * $1.1 }
      }
      let h = 1e-6
      for tensor in values.indices.dropFirst(test.isOfIndices ? 1 : 0) {
        for i in values[tensor].indices {
          var (above, below) = (values, values)
          above[tensor][i] += h
          below[tensor][i] -= h
          let difference = (objective(above) - objective(below)) / (2 * h)
          // The difference's own error is below 1e-8.
          #expect(
            (Double(analytic[tensor][i]) - difference).magnitude <= tolerance + 1e-8,
            "tensor \(tensor), element \(i)")
        }
      }
    }
  }

  @Test("every kind of layer is tested here")
  func allKinds() {
    let tested = Set(LayerGradientTests.cases.map(\.layer.name) + ["residual"])
    #expect(tested == Set(LayerSpecification.names))
  }
}
