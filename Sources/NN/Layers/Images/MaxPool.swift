import Kernels

/// y = the largest element of every window of an image, channel by channel.
final class MaxPool: Layer {
  static let definition = LayerDefinition("max-pool", main: "size", example: "{max-pool: 2}") {
    let settings = WindowSettings($0, size: "size")
    return { MaxPool(inputShape: $0, windows: try settings.windows(on: $0)) }
  }

  let kind = "max-pool"
  let inputShape: Shape
  let outputShape: Shape
  let backwardReads: BackwardReads = []
  private let windows: ImageWindows

  init(inputShape: Shape, windows: ImageWindows) {
    self.inputShape = inputShape
    self.windows = windows
    outputShape = Shape(windows.outputHeight, windows.outputWidth, windows.channels)
  }

  /// For each output, which element of its image it is: an integer as wide as a float.
  func workspaceCount(rows: Int) -> Int { rows * outputShape.count }

  func forward(_ x: Matrix, into y: Matrix, memory: LayerMemory, pass: Pass) {
    forward(x, isReLU: false, into: y, memory, pass)
  }

  private func forward(
    _ x: Matrix, isReLU: Bool, into y: Matrix, _ memory: LayerMemory, _ pass: Pass
  ) {
    memory.workspace.withMemoryRebound(to: Int32.self, capacity: y.count) {
      pass.kernels.maximumPool(x, windows, into: y, places: $0, isReLU: isReLU)
    }
  }

  func backward(
    _ dy: Matrix, x: Matrix, y: Matrix, into dx: Matrix?, memory: LayerMemory, pass: Pass
  ) {
    guard let dx else { return }
    memory.workspace.withMemoryRebound(to: Int32.self, capacity: dy.count) {
      pass.kernels.maximumPoolGradient(dy, windows, places: $0, into: dx)
    }
  }
}

/// A window without a positive element passes no gradient on: its result has no place.
extension MaxPool: ActivationGradientFusing {
  func canFuseGradient(of activation: Activation) -> Bool {
    activation == .relu && windows.areSquares
  }

  func forward(
    _ x: Matrix, behind activation: Activation, into y: Matrix, memory: LayerMemory, pass: Pass
  ) {
    forward(x, isReLU: true, into: y, memory, pass)
  }
}
