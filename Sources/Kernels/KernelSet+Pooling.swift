import CKernels

// Pooling over batches of images: matrices with an image in every row, channels last.

extension KernelSet {
  /// y = the largest element of every window, channel by channel; NaN is above all, and of equal
  /// elements the first one counts. Padding is never the largest.
  /// - Parameters:
  ///   - x: images, rows x windows.imageSize.
  ///   - y: rows x (windows.count * channels).
  ///   - places: which element of its image each element of `y` is, for the gradient.
  public func maximumPool(
    _ x: Matrix, _ windows: ImageWindows, into y: Matrix,
    places: UnsafeMutablePointer<Int32>
  ) {
    check(windows, images: x, results: y)
    divide(rowsOf: x, (x: x, y: y, places: places, windows: windows.raw)) { kernels, o, images in
      let (x, y) = (o.x.rows(images), o.y.rows(images))
      let places = o.places + images.lowerBound * y.columns
      withUnsafePointer(to: o.windows) {
        kernels.table.images.maximum($0, x.rows, x.base, y.base, places)
      }
    }
  }

  /// dx = dy where `maximumPool` found its elements, 0 elsewhere; added up where windows overlap,
  /// window by window.
  public func maximumPoolGradient(
    _ dy: Matrix, _ windows: ImageWindows, places: UnsafePointer<Int32>, into dx: Matrix
  ) {
    check(windows, images: dx, results: dy)
    divide(rowsOf: dx, (dy: dy, dx: dx, places: places, windows: windows.raw)) {
      kernels, o, images in
      let (dy, dx) = (o.dy.rows(images), o.dx.rows(images))
      let places = o.places + images.lowerBound * dy.columns
      dx.elements.update(repeating: 0)
      withUnsafePointer(to: o.windows) {
        kernels.table.images.maximumGradient($0, dx.rows, places, dy.base, dx.base)
      }
    }
  }

  /// y = the mean of every window, channel by channel, over those of its pixels that lie in the
  /// image.
  public func averagePool(_ x: Matrix, _ windows: ImageWindows, into y: Matrix) {
    check(windows, images: x, results: y)
    divide(rowsOf: x, (x: x, y: y, windows: windows.raw)) { kernels, o, images in
      let (x, y) = (o.x.rows(images), o.y.rows(images))
      withUnsafePointer(to: o.windows) { kernels.table.images.average($0, x.rows, x.base, y.base) }
    }
  }

  /// dx = the sum of the shares that each pixel has in `dy`, window by window.
  public func averagePoolGradient(_ dy: Matrix, _ windows: ImageWindows, into dx: Matrix) {
    check(windows, images: dx, results: dy)
    divide(rowsOf: dx, (dy: dy, dx: dx, windows: windows.raw)) { kernels, o, images in
      let (dy, dx) = (o.dy.rows(images), o.dx.rows(images))
      dx.elements.update(repeating: 0)
      withUnsafePointer(to: o.windows) {
        kernels.table.images.averageGradient($0, dx.rows, dy.base, dx.base)
      }
    }
  }

  private func check(_ windows: ImageWindows, images: Matrix, results: Matrix) {
    precondition(images.rows == results.rows && images.columns == windows.imageSize)
    precondition(results.columns == windows.count * windows.channels)
  }
}
