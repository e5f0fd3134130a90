import Kernels

/// y = x * w + b: every output is a weighted sum of the pixels of a window of the image, with the
/// same weights for all windows (cross-correlation, as PyTorch's `Conv2d`).
final class Convolution: Layer {
  static let definition = LayerDefinition(
    "conv", example: "{conv: {filters: 32, kernel: 3, padding: same}}"
  ) {
    let filters = $0.integer("filters", in: 1...1 << 31)
    let settings = WindowSettings($0, size: "kernel", defaultStride: 1)
    let hasBias = $0.flag("bias", default: true)
    return {
      Convolution(
        inputShape: $0, windows: try settings.windows(on: $0), filters: filters, hasBias: hasBias)
    }
  }

  let kind = "conv"
  let inputShape: Shape
  let outputShape: Shape
  /// `weight` is kernel height x kernel width x channels x filters: a matrix of a row for each
  /// element of a window. (PyTorch's is filters x channels x height x width.)
  let parameters: [Parameter]
  let backwardReads: BackwardReads = .input
  private let windows: ImageWindows
  private let filters: Int

  init(inputShape: Shape, windows: ImageWindows, filters: Int, hasBias: Bool = true) {
    self.inputShape = inputShape
    self.windows = windows
    self.filters = filters
    outputShape = Shape(windows.outputHeight, windows.outputWidth, filters)
    let shape = Shape(windows.kernelHeight, windows.kernelWidth, windows.channels, filters)
    parameters =
      [Parameter("weight", shape, .heUniform(fanIn: windows.patchSize))]
      + (hasBias ? [Parameter("bias", Shape(filters), .zero)] : [])
  }

  var multiplyAdds: Int { windows.count * windows.patchSize * filters }

  func scratch(rows: Int, shards: Int, threads: Int) -> ScratchNeed {
    .convolution(windows, filters: filters, images: rows, shards: shards, threads: threads)
  }

  func forward(_ x: Matrix, into y: Matrix, memory: LayerMemory, pass: Pass) {
    forward(x, into: y, then: .none, memory, pass)
  }

  private func forward(
    _ x: Matrix, into y: Matrix, then finish: SumFinish, _ memory: LayerMemory, _ pass: Pass
  ) {
    pass.kernels.convolution(
      x, weightMatrix(memory.weights[0]), windows, into: y,
      from: memory.weights.count > 1 ? .bias(memory.weights[1]) : .zero, then: finish)
  }

  func backward(
    _ dy: Matrix, x: Matrix, y: Matrix, into dx: Matrix?, memory: LayerMemory, pass: Pass
  ) {
    pass.kernels.convolutionGradient(
      byWeightsOf: x, dy, windows, over: pass.shards, into: weightMatrix(memory.gradients[0]))
    if memory.gradients.count > 1 {
      pass.kernels.sumRows(
        Matrix(dy.base, rows: dy.rows * windows.count, columns: filters),
        over: pass.shards.scaled(by: windows.count), into: memory.gradients[1])
    }
    if let dx {
      pass.kernels.convolutionGradient(
        byImagesOf: dy, weightMatrix(memory.weights[0]), windows, into: dx)
    }
  }

  private func weightMatrix(_ base: UnsafeMutablePointer<Float>) -> Matrix {
    Matrix(base, rows: windows.patchSize, columns: filters)
  }
}

extension Convolution: ActivationFusing {
  func canFuse(_ activation: Activation) -> Bool { activation == .relu }

  func forward(
    _ x: Matrix, into y: Matrix, then activation: Activation, memory: LayerMemory, pass: Pass
  ) {
    forward(x, into: y, then: .relu, memory, pass)
  }
}
