import Kernels

/// y = x w + b: every output a weighted sum of all inputs, whatever their shape.
final class Dense: ActivationFusing, SparseReading {
  static let definition = LayerDefinition("dense", main: "units", example: "{dense: 512}") {
    let units = $0.integer("units", in: 1...1 << 31)
    let hasBias = $0.flag("bias", default: true)
    let initializer = $0.choice("initializer", default: WeightInitializer.heUniform)
    return { Dense(inputShape: $0, units: units, hasBias: hasBias, initializer: initializer) }
  }

  let kind = "dense"
  let inputShape: Shape
  let outputShape: Shape
  /// `weight` is inputs x outputs, row-major: the transpose of PyTorch's `Linear`.
  let parameters: [Parameter]
  let backwardReads: BackwardReads = .input

  private let hasBias: Bool

  init(inputShape: Shape, units: Int, hasBias: Bool, initializer: WeightInitializer) {
    precondition(units > 0)
    self.inputShape = inputShape
    self.hasBias = hasBias
    outputShape = Shape(units)
    let fanIn = inputShape.count
    let weight = Parameter(
      "weight", Shape(fanIn, units), initializer.initializer(fanIn: fanIn, fanOut: units))
    parameters = hasBias ? [weight, Parameter("bias", Shape(units), .zero)] : [weight]
  }

  var multiplyAdds: Int { inputShape.count * outputShape.count }

  var packedWeightCount: Int { PackedWeights.count(parameters[0].shape) }

  func scratch(rows: Int, shards: Int, threads: Int) -> ScratchNeed {
    .products(
      rows: rows, inputs: inputShape.count, outputs: outputShape.count, shards: shards,
      threads: threads)
  }

  func forward(_ x: Matrix, into y: Matrix, memory: LayerMemory, pass: Pass) {
    forward(x, into: y, then: SumFinish.none, memory: memory, pass: pass)
  }

  func canFuse(_ activation: Activation) -> Bool { activation == .relu }

  func forward(
    _ x: Matrix, into y: Matrix, then activation: Activation, memory: LayerMemory, pass: Pass
  ) {
    switch activation {
    case .relu: forward(x, into: y, then: SumFinish.relu, memory: memory, pass: pass)
    }
  }

  private func forward(
    _ x: Matrix, into y: Matrix, then finish: SumFinish, memory: LayerMemory, pass: Pass
  ) {
    let w = weightMatrix(memory.weights[0])
    let start: SumStart = hasBias ? .bias(memory.weights[1]) : .zero
    if pass.weightUse == .once {
      pass.kernels.product(x, w, into: y, from: start, then: finish)
    } else {
      pass.kernels.product(
        x, memory.packedWeights.matrix(w, pass: pass), into: y, from: start, then: finish)
    }
  }

  func backward(
    _ dy: Matrix, x: Matrix, y: Matrix, into dx: Matrix?, memory: LayerMemory, pass: Pass
  ) {
    pass.kernels.productOfTranspose(
      x, dy, over: pass.shards, into: weightMatrix(memory.gradients[0]))
    if hasBias { pass.kernels.sumRows(dy, over: pass.shards, into: memory.gradients[1]) }
    guard let dx else { return }
    let w = weightMatrix(memory.weights[0])
    if pass.weightUse == .once {
      pass.kernels.productWithTranspose(dy, w, into: dx)
    } else {
      pass.kernels.product(dy, memory.packedWeights.transpose(w, pass: pass), into: dx)
    }
  }

  func forward(_ x: SparseMatrix, into y: Matrix, memory: LayerMemory, pass: Pass) {
    pass.kernels.product(x, weightMatrix(memory.weights[0]), into: y)
    if hasBias { pass.kernels.addBias(memory.weights[1], to: y) }
  }

  func backward(_ dy: Matrix, x: SparseMatrix, memory: LayerMemory, pass: Pass) {
    pass.kernels.productOfTranspose(
      x, dy, over: pass.shards, into: weightMatrix(memory.gradients[0]))
    if hasBias { pass.kernels.sumRows(dy, over: pass.shards, into: memory.gradients[1]) }
  }

  private func weightMatrix(_ base: UnsafeMutablePointer<Float>) -> Matrix {
    Matrix(base, rows: inputShape.count, columns: outputShape.count)
  }
}
