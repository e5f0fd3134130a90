// Convolutions over batches of images: matrices with an image in every row, channels last. Weights
// are a matrix of one row for each element of a window (row, column, channel) and one column for
// each filter; a row of results has all filters of the first window, then of the next.
//
// A result is one chain of multiply-adds over its window, padding included: it does not depend on
// the images beside it.

extension KernelSet {
  /// y = finish(start + the patches of x times w): (rows, windows.imageSize) gives
  /// (rows, windows.count * filters).
  /// - Parameter start: a bias has one float a filter.
  public func convolution(
    _ x: Matrix, _ w: Matrix, _ windows: ImageWindows, into y: Matrix, from start: SumStart = .zero,
    then finish: SumFinish = .none
  ) {
    check(windows, images: x, weights: w, results: y)
    plan(windows, w).forward(x, w, into: y, start, finish, kernels: self)
  }

  /// dw = the gradient by the weights, summed over the images shard by shard along the shard tree.
  public func convolutionGradient(
    byWeightsOf x: Matrix, _ dy: Matrix, _ windows: ImageWindows, over shards: ShardRows,
    into dw: Matrix
  ) {
    check(windows, images: x, weights: dw, results: dy)
    precondition(shards.rows == x.rows)
    plan(windows, dw).gradientByWeights(x, dy, over: shards, into: dw, kernels: self)
  }

  /// dx = the gradient by the images; where windows overlap it is added up in the order of windows.
  public func convolutionGradient(
    byImagesOf dy: Matrix, _ w: Matrix, _ windows: ImageWindows, into dx: Matrix
  ) {
    check(windows, images: dx, weights: w, results: dy)
    plan(windows, w).gradientByImages(dy, w, into: dx, kernels: self)
  }

  private func check(_ windows: ImageWindows, images: Matrix, weights: Matrix, results: Matrix) {
    precondition(images.rows == results.rows && images.columns == windows.imageSize)
    precondition(weights.rows == windows.patchSize)
    precondition(results.columns == windows.count * weights.columns)
  }

  /// Made at the first call of its dimensions, and kept.
  private func plan(_ windows: ImageWindows, _ w: Matrix) -> Convolution {
    let dimensions = Convolution.Dimensions(windows: windows, filters: w.columns)
    if let plan = convolutions[dimensions] { return plan }
    let plan = Convolution(dimensions, for: self)
    convolutions[dimensions] = plan
    return plan
  }
}
