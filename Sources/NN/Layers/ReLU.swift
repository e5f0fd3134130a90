import Kernels

/// y = max(x, 0), elementwise.
final class ReLU: Layer {
  let kind = "relu"
  let inputShape: Shape
  var outputShape: Shape { inputShape }
  let parameters: [Parameter] = []

  init(inputShape: Shape) { self.inputShape = inputShape }

  func forward(
    _ x: Matrix, into y: Matrix, weights: [UnsafeMutablePointer<Float>], pass: Pass
  ) {
    pass.kernels.relu(x, into: y)
  }

  func backward(
    _ dy: Matrix, x: Matrix, y: Matrix, into dx: Matrix?, weights: [UnsafeMutablePointer<Float>],
    gradients: [UnsafeMutablePointer<Float>], pass: Pass
  ) {
    if let dx { pass.kernels.reluGradient(y, dy, into: dx) }
  }
}
