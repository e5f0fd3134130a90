import Kernels

/// y = x w + b: every output a weighted sum of all inputs, whatever their shape.
final class Dense: Layer {
  let kind = "dense"
  let inputShape: Shape
  let outputShape: Shape
  /// `weight` is inputs x outputs, row-major: the transpose of PyTorch's `Linear`.
  let parameters: [Parameter]

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

  func forward(
    _ x: Matrix, into y: Matrix, weights: [UnsafeMutablePointer<Float>], pass: Pass
  ) {
    pass.kernels.product(x, weightMatrix(weights[0]), into: y)
    pass.kernels.addBias(weights[1], to: y)
  }

  func backward(
    _ dy: Matrix, x: Matrix, y: Matrix, into dx: Matrix?, weights: [UnsafeMutablePointer<Float>],
    gradients: [UnsafeMutablePointer<Float>], pass: Pass
  ) {
    pass.kernels.productOfTranspose(x, dy, over: pass.shards, into: weightMatrix(gradients[0]))
    pass.kernels.sumRows(dy, over: pass.shards, into: gradients[1])
    if let dx { pass.kernels.productWithTranspose(dy, weightMatrix(weights[0]), into: dx) }
  }

  private func weightMatrix(_ base: UnsafeMutablePointer<Float>) -> Matrix {
    Matrix(base, rows: inputShape.count, columns: outputShape.count)
  }
}
