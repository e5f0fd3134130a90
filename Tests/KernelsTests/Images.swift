@testable import Kernels

extension ImageWindows {
  /// Images of all sorts: kernels of one pixel and of the whole image, strides above and below the
  /// kernel's extent, padding on some sides only, channels around the width of a vector.
  static func random(_ count: Int, number: Int) -> [ImageWindows] {
    var draws = Draws(number)
    return (0..<count).map { _ in
      let (height, width) = (draws.next(in: 1...9), draws.next(in: 1...9))
      let channels = [1, 2, 3, 4, 6, 8, 15, 16, 17, 33][draws.next(in: 0...9)]
      let (kernelHeight, kernelWidth) = (draws.next(in: 1...5), draws.next(in: 1...5))
      var padding = Padding(
        top: draws.next(in: 0...kernelHeight - 1), left: draws.next(in: 0...kernelWidth - 1),
        bottom: draws.next(in: 0...kernelHeight - 1), right: draws.next(in: 0...kernelWidth - 1))
      // The padded image holds a window at least, and no window lies in the padding alone.
      if height + padding.top + padding.bottom < kernelHeight { padding.bottom = kernelHeight - 1 }
      if width + padding.left + padding.right < kernelWidth { padding.right = kernelWidth - 1 }
      return ImageWindows(
        height: height, width: width, channels: channels, kernelHeight: kernelHeight,
        kernelWidth: kernelWidth, strideY: draws.next(in: 1...3), strideX: draws.next(in: 1...3),
        padding: padding)
    }
  }

  /// Windows side by side, most of them squares, with and without pixels left over.
  static var tiles: [ImageWindows] {
    [(4, 4, 2, 2), (5, 7, 2, 2), (2, 3, 2, 2), (8, 6, 2, 3), (7, 9, 3, 2)].flatMap {
      (height, width, kernelHeight, kernelWidth) in
      [1, 3, 6, 8, 16, 17, 35].map {
        ImageWindows(
          height: height, width: width, channels: $0, kernelHeight: kernelHeight,
          kernelWidth: kernelWidth, strideY: kernelHeight, strideX: kernelWidth)
      }
    }
  }

  /// Where element (ky, kx, c) of window (oy, ox) lies in its image; nil in the padding.
  func index(_ oy: Int, _ ox: Int, _ ky: Int, _ kx: Int, _ c: Int) -> Int? {
    let (y, x) = (oy * strideY + ky - padding.top, ox * strideX + kx - padding.left)
    guard (0..<height).contains(y), (0..<width).contains(x) else { return nil }
    return (y * width + x) * channels + c
  }

  /// Calls `body` for every window with its number, and every pixel of it with its own.
  func forEachPixel(_ body: (_ window: Int, _ pixel: Int, _ index: (Int) -> Int?) -> Void) {
    for oy in 0..<outputHeight {
      for ox in 0..<outputWidth {
        for ky in 0..<kernelHeight {
          for kx in 0..<kernelWidth {
            body(oy * outputWidth + ox, ky * kernelWidth + kx) { c in index(oy, ox, ky, kx, c) }
          }
        }
      }
    }
  }

  /// Patches of a batch, one a row, as their definition says.
  func patches(_ x: Grid) -> Grid {
    var patches = Grid(
      rows: x.rows * count, columns: patchSize,
      [Float](repeating: 0, count: x.rows * count * patchSize))
    for image in 0..<x.rows {
      forEachPixel { window, pixel, index in
        for c in 0..<channels {
          guard let source = index(c) else { continue }
          patches.values[
            (image * count + window) * patchSize + pixel * channels + c] =
            x.values[image * imageSize + source]
        }
      }
    }
    return patches
  }
}
