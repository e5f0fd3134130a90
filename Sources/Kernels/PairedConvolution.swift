import CKernels

/// A convolution with few filters, of which a vector has two numbers each; see `CConvolutions`.
final class PairedConvolution {
  private let windows: ImageWindows
  private let filters: Int
  private let lanes: Int
  private let kernels: CConvolutions
  private let image: PaddedImage
  private let weights: AlignedBuffer
  private let startPairs: AlignedBuffer
  private let sums: AlignedBuffer
  /// The gradient of an image with less than a vector behind it, and room for one.
  private let lastGradient: AlignedBuffer

  /// Whether two numbers of each filter fit a vector.
  static func fits(filters: Int, _ kernels: KernelSet) -> Bool {
    2 * filters <= kernels.table.products.lanes
  }

  /// Whether neighbouring windows see neighbouring floats, which `forward` takes for granted.
  static func canMultiply(_ windows: ImageWindows) -> Bool {
    windows.channels == 1 && windows.strideX == 1
  }

  init(_ windows: ImageWindows, filters: Int, for kernels: KernelSet) {
    self.windows = windows
    self.filters = filters
    self.kernels = kernels.table.convolutions
    lanes = kernels.table.products.lanes
    image = PaddedImage(windows, self.kernels, isCopied: true)
    weights = AlignedBuffer(count: windows.patchSize * lanes)
    startPairs = AlignedBuffer(count: lanes)
    let perRow = (windows.kernelWidth * windows.channels + 1) / 2
    sums = AlignedBuffer(count: windows.kernelHeight * perRow * lanes)
    lastGradient = AlignedBuffer(count: windows.count * filters + lanes)
  }

  /// y = finish(start + the patches of x times w), for sums that start from zero or a bias and end as
  /// they are or in a ReLU.
  /// - Returns: whether they do; else nothing is done.
  func forward(
    _ x: Matrix, _ w: Matrix, into y: Matrix, _ start: SumStart, _ finish: SumFinish
  ) -> Bool {
    let bias: UnsafePointer<Float>?
    switch start {
    case .zero: bias = nil
    case .bias(let values): bias = values
    case .result: return false
    }
    let isReLU: Bool
    switch finish {
    case .none: isReLU = false
    case .relu: isReLU = true
    case .reluGradient, .activation: return false
    }
    kernels.packPairs(windows.patchSize, filters, w.base, weights.base)
    if let bias {
      kernels.packPairs(1, filters, bias, startPairs.base)
    } else {
      startPairs.elements.update(repeating: 0)
    }
    withUnsafePointer(to: windows.raw) { raw in
      for i in 0..<x.rows {
        kernels.multiplyPairs(
          raw, image.of(x.row(i)), image.stride, filters, weights.base, startPairs.base, isReLU,
          y.row(i), (x.rows - i) * y.columns)
      }
    }
    return true
  }

  /// dw = the sum of the patches of these rows of x times dy.
  func gradientByWeights(_ x: Matrix, _ dy: Matrix, rows: Range<Int>, into dw: Matrix) {
    sums.elements.update(repeating: 0)
    withUnsafePointer(to: windows.raw) { raw in
      for i in rows {
        var gradient = dy.row(i)
        if (dy.rows - i - 1) * dy.columns < lanes {
          lastGradient.base.update(from: gradient, count: dy.columns)
          gradient = lastGradient.base
        }
        kernels.addPairs(
          raw, image.of(x.row(i)), image.stride, filters, gradient, sums.base)
      }
      kernels.unpackPairs(raw, filters, sums.base, dw.base)
    }
  }
}
