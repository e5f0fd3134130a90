import CKernels

// Pooling over batches of images: matrices with an image in every row, channels last.

extension KernelSet {
  /// y = the largest element of every window, channel by channel; NaN is above all, and of equal
  /// elements the first one counts. Padding is never the largest.
  /// - Parameters:
  ///   - x: images, rows x windows.imageSize.
  ///   - y: rows x (windows.count * channels).
  ///   - places: which element of its image each element of `y` is, for the gradient.
  ///   - isReLU: `x` comes from a ReLU, whose gradient `maximumPoolGradient` is to give too: what is
  ///     not positive has no place.
  /// - Precondition: with `isReLU`, `windows.areSquares`.
  public func maximumPool(
    _ x: Matrix, _ windows: ImageWindows, into y: Matrix,
    places: UnsafeMutablePointer<Int32>, isReLU: Bool = false
  ) {
    check(windows, images: x, results: y)
    precondition(windows.areSquares || !isReLU)
    let operands = (
      x: x, y: y, places: places, windows: windows.raw, areSquares: windows.areSquares,
      isReLU: isReLU
    )
    divide(rowsOf: x, operands) { kernels, o, images in
      let (x, y) = (o.x.rows(images), o.y.rows(images))
      let places = o.places + images.lowerBound * y.columns
      let table = kernels.table.images
      withUnsafePointer(to: o.windows) {
        if o.areSquares {
          table.maximumOfSquares($0, x.rows, x.base, o.isReLU, y.base, places)
        } else {
          table.maximum($0, x.rows, x.base, y.base, places)
        }
      }
    }
  }

  /// dx = dy where `maximumPool` found its elements, 0 elsewhere; added up where windows overlap,
  /// window by window.
  public func maximumPoolGradient(
    _ dy: Matrix, _ windows: ImageWindows, places: UnsafePointer<Int32>, into dx: Matrix
  ) {
    check(windows, images: dx, results: dy)
    let operands = (
      dy: dy, dx: dx, places: places, windows: windows.raw, areTiles: windows.areTiles
    )
    divide(rowsOf: dx, operands) { kernels, o, images in
      let (dy, dx) = (o.dy.rows(images), o.dx.rows(images))
      let places = o.places + images.lowerBound * dy.columns
      let table = kernels.table.images
      withUnsafePointer(to: o.windows) {
        if o.areTiles {
          table.maximumOfTilesGradient($0, dx.rows, places, dy.base, dx.base)
        } else {
          dx.elements.update(repeating: 0)
          table.maximumGradient($0, dx.rows, places, dy.base, dx.base)
        }
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
