import Kernels

/// y = x w + b: every output a weighted sum of all inputs, whatever their shape.
final class Dense: ActivationFusing {
  static let definition = LayerDefinition("dense", main: "units", example: "{dense: 512}") {
    let units = $0.integer("units", in: 1...1 << 31)
    return { Dense(inputShape: $0, units: units) }
  }

  let kind = "dense"
  let inputShape: Shape
  let outputShape: Shape
  /// `weight` is inputs x outputs, row-major: the transpose of PyTorch's `Linear`.
  let parameters: [Parameter]
  let backwardReads: BackwardReads = .input

  init(inputShape: Shape, units: Int) {
    precondition(units > 0)
    self.inputShape = inputShape
    outputShape = Shape(units)
    let fanIn = inputShape.count
    parameters = [
      Parameter("weight", Shape(fanIn, units), .heUniform(fanIn: fanIn)),
      Parameter("bias", Shape(units), .zero),
    ]
  }

  func forward(_ x: Matrix, into y: Matrix, memory: LayerMemory, pass: Pass) {
    pass.kernels.product(
      x, weightMatrix(memory.weights[0]), into: y, from: .bias(memory.weights[1]))
  }

  func canFuse(_ activation: Activation) -> Bool { activation == .relu }

  func forward(
    _ x: Matrix, into y: Matrix, then activation: Activation, memory: LayerMemory, pass: Pass
  ) {
    pass.kernels.product(x, weightMatrix(memory.weights[0]), into: y)
    // While a row is in the first-level cache.
    for i in 0..<y.rows {
      let row = Matrix(y.row(i), rows: 1, columns: y.columns)
      pass.kernels.addBias(memory.weights[1], to: row)
      pass.kernels.relu(row, into: row)
    }
  }

  func backward(
    _ dy: Matrix, x: Matrix, y: Matrix, into dx: Matrix?, memory: LayerMemory, pass: Pass
  ) {
    pass.kernels.productOfTranspose(
      x, dy, over: pass.shards, into: weightMatrix(memory.gradients[0]))
    pass.kernels.sumRows(dy, over: pass.shards, into: memory.gradients[1])
    if let dx {
      pass.kernels.productWithTranspose(dy, weightMatrix(memory.weights[0]), into: dx)
    }
  }

  private func weightMatrix(_ base: UnsafeMutablePointer<Float>) -> Matrix {
    Matrix(base, rows: inputShape.count, columns: outputShape.count)
  }
}
