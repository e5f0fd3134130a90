import CKernels

/// A convolution whose products read the image where it lies: a row of windows is a left operand
/// whose rows are neighbouring windows, and whose depth is a run of floats for each row of the
/// window.
///
///     padded image                         left operand, one row of windows
///     +---------------------+
///     | [0 .. ] ky = 0      |              window 0:  run ky = 0 | run ky = 1 | ...
///     | [0 .. ] ky = 1      |      >       window 1:  run ky = 0 | run ky = 1 | ...
///     |  [1 .. ]            |              ...
///     +---------------------+
final class DirectConvolution {
  private let windows: ImageWindows
  private let filters: Int
  private let image: PaddedImage
  /// Floats of a row of the window.
  private let run: Int

  /// Rows of windows with fewer have tiles that are too low.
  private static let leastWidth = 6
  /// Floats of weights that stay in a second-level cache while rows of windows go by.
  static let mostWeights = 64 * 1024
  /// Floats of a panel of weights, or of an image and its gradient, that stay in a first-level cache
  /// of 48 KB while tiles go by.
  private static let mostNearBy = 10 * 1024

  /// - Parameter depth: the terms of each sum: a window's, or those of all windows that see a pixel
  ///   from one column.
  static func canMultiply(
    _ windows: ImageWindows, filters: Int, depth: Int, _ kernels: KernelSet
  ) -> Bool {
    windows.outputWidth >= leastWidth && windows.patchSize * filters <= mostWeights
      && depth * kernels.table.products.tileColumns <= mostNearBy
  }

  static func canSumWeights(_ windows: ImageWindows, filters: Int) -> Bool {
    windows.kernelWidth * windows.channels >= leastWidth
      && windows.imageSize + windows.count * filters <= mostNearBy
  }

  init(_ windows: ImageWindows, filters: Int, for kernels: KernelSet) {
    self.windows = windows
    self.filters = filters
    image = PaddedImage(windows, kernels.table.convolutions, isCopied: false)
    run = windows.kernelWidth * windows.channels
  }

  /// y = finish(start + the patches of x times w), for packed weights.
  func forward(
    _ x: Matrix, _ w: PackedMatrix, into y: Matrix, _ start: SumStart, _ finish: SumFinish,
    kernels: KernelSet
  ) {
    let right = RightBlock(
      base: w.panel(column: 0, depth: 0), stride: kernels.table.products.tileColumns,
      panelStride: w.panelStride)
    let width = windows.outputWidth
    for i in 0..<x.rows {
      let padded = image.of(x.row(i))
      for oy in 0..<windows.outputHeight {
        let first = (i * windows.outputHeight + oy) * width
        let left = LeftBlock(
          base: padded + oy * windows.strideY * image.stride,
          stride: windows.strideX * windows.channels)
        var product = CProduct(
          y, rows: first..<first + width, columns: 0..<filters, depth: run, left, right,
          start: start, isFirst: true, finish: finish, isLast: true)
        product.runs = windows.kernelHeight
        product.leftRun = image.stride
        product.rightRun = run * right.stride
        kernels.table.products.multiply(&product)
        if case .activation(let function) = finish {
          function(width * filters, y.row(first), y.row(first))
        }
      }
    }
  }

  /// dw = the sum of the patches of these rows of x times dy, a result a row.
  func gradientByWeights(
    _ x: Matrix, _ dy: Matrix, rows: Range<Int>, into dw: Matrix, kernels: KernelSet
  ) {
    let table = kernels.table.products
    let whole = filters / table.lanes * table.lanes
    let panel = kernels.packedRight.reserve(whole < filters ? windows.count * table.tileColumns : 0)
    for i in rows {
      let padded = image.of(x.row(i))
      let gradient = dy.row(i * windows.count)
      let start: SumStart = i == rows.lowerBound ? .zero : .result
      if whole > 0 {
        let right = RightBlock(
          base: UnsafePointer(gradient), stride: filters, panelStride: table.tileColumns)
        add(padded, right, columns: 0..<whole, into: dw, start, table)
      }
      if whole < filters {
        table.packRows(filters - whole, windows.count, gradient + whole, filters, panel, 0)
        let right = RightBlock(
          base: UnsafePointer(panel), stride: table.tileColumns, panelStride: 0)
        add(padded, right, columns: whole..<filters, into: dw, start, table)
      }
    }
  }

  /// Some columns of an image's part of dw, row of the window by row.
  private func add(
    _ padded: UnsafePointer<Float>, _ right: RightBlock, columns: Range<Int>, into dw: Matrix,
    _ start: SumStart, _ table: CProducts
  ) {
    for ky in 0..<windows.kernelHeight {
      let left = LeftBlock(
        base: padded + ky * image.stride, stride: windows.strideX * windows.channels,
        form: CLeftColumns)
      var product = CProduct(
        dw, rows: ky * run..<(ky + 1) * run, columns: columns, depth: windows.outputWidth, left,
        right, start: start, isFirst: true, finish: .none, isLast: true)
      product.runs = windows.outputHeight
      product.leftRun = windows.strideY * image.stride
      product.rightRun = windows.outputWidth * right.stride
      table.multiply(&product)
    }
  }
}
