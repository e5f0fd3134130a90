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
    prepare(windows, w)
    divide(
      x.rows, work: y.count * windows.patchSize, grain: Grain.multiplyAdds,
      (x: x, w: w, y: y, windows: windows, start: start, finish: finish)
    ) { kernels, o, images in
      kernels.plan(o.windows, o.w).forward(
        o.x.rows(images), o.w, into: o.y.rows(images), o.start,
        o.finish.rows(
          images.lowerBound * o.windows.count..<images.upperBound * o.windows.count),
        kernels: kernels)
    }
  }

  /// dw = the gradient by the weights, summed over the images shard by shard along the shard tree.
  public func convolutionGradient(
    byWeightsOf x: Matrix, _ dy: Matrix, _ windows: ImageWindows, over shards: ShardRows,
    into dw: Matrix
  ) {
    check(windows, images: x, weights: dw, results: dy)
    precondition(shards.rows == x.rows)
    prepare(windows, dw)
    sumSubtrees(
      of: shards,
      threads: threads(for: dy.count * windows.patchSize, grain: Grain.multiplyAdds),
      width: dw.count, into: dw.base, (x: x, dy: dy, windows: windows, dw: dw)
    ) { kernels, o, shards, first, sums in
      let images = first..<first + shards.rows
      kernels.plan(o.windows, o.dw).gradientByWeights(
        o.x.rows(images), o.dy.rows(images), over: shards,
        into: Matrix(sums, rows: o.dw.rows, columns: o.dw.columns), kernels: kernels)
    }
  }

  /// dx = the gradient by the images; where windows overlap it is added up in the order of windows.
  public func convolutionGradient(
    byImagesOf dy: Matrix, _ w: Matrix, _ windows: ImageWindows, into dx: Matrix
  ) {
    check(windows, images: dx, weights: w, results: dy)
    prepare(windows, w)
    divide(
      dx.rows, work: dy.count * windows.patchSize, grain: Grain.multiplyAdds,
      (dy: dy, w: w, dx: dx, windows: windows)
    ) { kernels, o, images in
      kernels.plan(o.windows, o.w).gradientByImages(
        o.dy.rows(images), o.w, into: o.dx.rows(images), kernels: kernels)
    }
  }

  private func check(_ windows: ImageWindows, images: Matrix, weights: Matrix, results: Matrix) {
    precondition(images.rows == results.rows && images.columns == windows.imageSize)
    precondition(weights.rows == windows.patchSize)
    precondition(results.columns == windows.count * weights.columns)
  }

  /// Every thread's plan is made at the first call of its dimensions, and kept.
  private func prepare(_ windows: ImageWindows, _ w: Matrix) {
    let dimensions = Convolution.Dimensions(windows: windows, filters: w.columns)
    guard convolutions[dimensions] == nil else { return }
    for kernels in [self] + helpers {
      kernels.convolutions[dimensions] = Convolution(dimensions, for: kernels)
    }
  }

  private func plan(_ windows: ImageWindows, _ w: Matrix) -> Convolution {
    convolutions[Convolution.Dimensions(windows: windows, filters: w.columns)]!
  }
}
