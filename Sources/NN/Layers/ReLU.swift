import Kernels

/// y = max(x, 0), elementwise.
final class ReLU: Layer {
  static let definition = LayerDefinition("relu", example: "relu") { _ in
    { ReLU(inputShape: $0) }
  }

  let kind = "relu"
  let inputShape: Shape
  var outputShape: Shape { inputShape }
  let backwardReads: BackwardReads = .output
  let inPlace = InPlace.overwriting
  let activation: Activation? = .relu

  init(inputShape: Shape) { self.inputShape = inputShape }

  func forward(_ x: Matrix, into y: Matrix, memory: LayerMemory, pass: Pass) {
    pass.kernels.relu(x, into: y)
  }

  func backward(
    _ dy: Matrix, x: Matrix, y: Matrix, into dx: Matrix?, memory: LayerMemory, pass: Pass
  ) {
    if let dx { pass.kernels.reluGradient(y, dy, into: dx) }
  }
}
