import CKernels

/// The gradient by the images of a convolution, row by row of the images.
///
/// A row of pixels is seen by one row of windows for each row of the window, or fewer. Their products
/// with the transposed weights are added up over these in registers, and then to the pixels:
///
///     dy                                        block                      row of dx
///     +---------+  windows of row y - ky
///     | ....... |  times w[ky]^T, summed        window 0: [kx c ...]       [kx c ...]
///     | ....... |  over ky and filters     >    window 1: [kx c ...]   >     [kx c ...]   +
///     | ....... |                               ...                            ...
///     +---------+
final class ImageGradient {
  private let windows: ImageWindows
  private let filters: Int
  /// Floats of a row of the window, and those with the rest of the last vector.
  private let run: Int
  private let columns: Int
  /// w[ky]^T (filters x run) as panels, for each ky.
  private let weights: AlignedBuffer
  private let panels: Int
  /// A row of windows, each behind a vector of zeros, which stay so.
  private let block: AlignedBuffer
  private let blockStride: Int
  private let lanes: Int

  static func canMultiply(_ windows: ImageWindows, filters: Int, _ kernels: KernelSet) -> Bool {
    DirectConvolution.canMultiply(
      windows, filters: filters, depth: windows.kernelHeight * filters, kernels)
  }

  init(_ windows: ImageWindows, filters: Int, for kernels: KernelSet) {
    self.windows = windows
    self.filters = filters
    let table = kernels.table.products
    run = windows.kernelWidth * windows.channels
    columns = (run + table.lanes - 1) / table.lanes * table.lanes
    panels = (columns + table.tileColumns - 1) / table.tileColumns
    weights = AlignedBuffer(count: windows.kernelHeight * panels * table.tileColumns * filters)
    lanes = table.lanes
    blockStride = columns + lanes
    block = AlignedBuffer(count: windows.outputWidth * blockStride + 2 * lanes)
  }

  /// dx = the gradient, for a result a row of `dy`.
  func multiply(_ dy: Matrix, _ w: Matrix, into dx: Matrix, kernels: KernelSet) {
    let table = kernels.table.products
    let panelStride = filters * table.tileColumns
    let weightRun = panels * panelStride
    for ky in 0..<windows.kernelHeight {
      table.packColumns(
        run, filters, w.row(ky * run), filters, weights.base + ky * weightRun, panelStride)
    }
    let block = Matrix(block.base + lanes, rows: windows.outputWidth, columns: blockStride)
    withUnsafePointer(to: windows.raw) { raw in
      for image in 0..<dx.rows {
        for y in 0..<windows.height {
          let pixels = dx.row(image) + y * windows.width * windows.channels
          guard let first = firstWindow(over: y) else {
            pixels.update(repeating: 0, count: windows.width * windows.channels)
            continue
          }
          let left = LeftBlock(
            base: dy.row((image * windows.outputHeight + first.oy) * windows.outputWidth),
            stride: filters)
          let right = RightBlock(
            base: weights.base + first.ky * weightRun, stride: table.tileColumns,
            panelStride: panelStride)
          var product = CProduct(
            block, rows: 0..<block.rows, columns: 0..<columns, depth: filters, left, right,
            start: .zero, isFirst: true, finish: .none, isLast: true)
          product.runs = first.count
          product.leftRun = -windows.outputWidth * filters
          product.rightRun = windows.strideY * weightRun
          table.multiply(&product)
          kernels.table.convolutions.addWindows(raw, block.base, blockStride, pixels)
        }
      }
    }
  }

  /// The rows of windows that see row `y` of the image: the lowest one, which row of its windows that
  /// is, and how many there are, each a row of windows further up, and its ky larger by `strideY`.
  private func firstWindow(over y: Int) -> (oy: Int, ky: Int, count: Int)? {
    let y = y + windows.padding.top
    let oy = min(y / windows.strideY, windows.outputHeight - 1)
    let ky = y - oy * windows.strideY
    guard ky < windows.kernelHeight else { return nil }
    return (oy, ky, min(oy, (windows.kernelHeight - 1 - ky) / windows.strideY) + 1)
  }
}
