import Kernels

/// y = the mean of every window of an image, channel by channel. Padding does not count.
final class AveragePool: Layer {
  static let definition = LayerDefinition(
    "average-pool", main: "size", example: "{average-pool: 2}"
  ) {
    let settings = WindowSettings($0, size: "size")
    return { AveragePool(inputShape: $0, windows: try settings.windows(on: $0)) }
  }

  /// One window that is the whole image: what is left are the channels.
  static let globalDefinition = LayerDefinition(
    "global-average-pool", example: "global-average-pool"
  ) { _ in
    { shape in
      let image = try ImageExtents(shape)
      let windows = ImageWindows(
        height: image.height, width: image.width, channels: image.channels,
        kernelHeight: image.height, kernelWidth: image.width)
      return AveragePool(
        kind: "global-average-pool", inputShape: shape, outputShape: Shape(image.channels),
        windows: windows)
    }
  }

  let kind: String
  let inputShape: Shape
  let outputShape: Shape
  let backwardReads: BackwardReads = []
  private let windows: ImageWindows

  convenience init(inputShape: Shape, windows: ImageWindows) {
    self.init(
      kind: "average-pool", inputShape: inputShape,
      outputShape: Shape(windows.outputHeight, windows.outputWidth, windows.channels),
      windows: windows)
  }

  private init(kind: String, inputShape: Shape, outputShape: Shape, windows: ImageWindows) {
    self.kind = kind
    self.inputShape = inputShape
    self.outputShape = outputShape
    self.windows = windows
  }

  func forward(_ x: Matrix, into y: Matrix, memory: LayerMemory, pass: Pass) {
    pass.kernels.averagePool(x, windows, into: y)
  }

  func backward(
    _ dy: Matrix, x: Matrix, y: Matrix, into dx: Matrix?, memory: LayerMemory, pass: Pass
  ) {
    if let dx { pass.kernels.averagePoolGradient(dy, windows, into: dx) }
  }
}
