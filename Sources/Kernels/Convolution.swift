import CKernels

/// A convolution as matrix products, with the memory that they need: patches of the images, one a
/// row, times the weights (patch x filters).
///
///     images      block of patches      weights        block of results
///     +-----+     | ky kx c ..... |     | filters |    | filters |
///     | [ ] |  >  | ky kx c ..... |  x  |   ...   |  = |   ...   |
///     +-----+     | ...           |     |         |    |         |
///
/// Patches are gathered block by block, into a cache: a matrix of all of them would be as many
/// times as large as the batch as a window has pixels. Where the shape allows it, `PairedConvolution`,
/// `DirectConvolution` and `ImageGradient` make the products without them.
final class Convolution {
  struct Dimensions: Hashable {
    let windows: ImageWindows
    let filters: Int
  }

  private let windows: ImageWindows
  private let filters: Int
  private let weights: PackedMatrix
  private let transposedWeights: PackedMatrix
  private let patches: Patches

  private let pairedForward: PairedConvolution?
  private let pairedWeights: PairedConvolution?
  private let directForward: DirectConvolution?
  private let directWeights: DirectConvolution?
  private let imageGradient: ImageGradient?

  /// Floats of a block of patches: a quarter of a 1 MB second-level cache.
  private static let blockSize = 64 * 1024

  /// Patches of a block.
  static func rowsOfBlock(_ windows: ImageWindows) -> Int {
    max(1, blockSize / windows.patchSize)
  }

  init(_ dimensions: Dimensions, for kernels: KernelSet) {
    windows = dimensions.windows
    filters = dimensions.filters
    weights = PackedMatrix(depth: windows.patchSize, columns: filters, for: kernels)
    transposedWeights = PackedMatrix(depth: filters, columns: windows.patchSize, for: kernels)
    patches = Patches(windows, kernels.table.images)

    let isPaired = PairedConvolution.fits(filters: filters, kernels)
    let paired = isPaired ? PairedConvolution(windows, filters: filters, for: kernels) : nil
    pairedForward = PairedConvolution.canMultiply(windows) ? paired : nil
    pairedWeights = paired
    let direct = DirectConvolution(windows, filters: filters, for: kernels)
    let hasPatches = !windows.arePixels
    let isForward = DirectConvolution.canMultiply(
      windows, filters: filters, depth: windows.patchSize, kernels)
    directForward = hasPatches && isForward ? direct : nil
    directWeights =
      hasPatches && DirectConvolution.canSumWeights(windows, filters: filters) ? direct : nil
    imageGradient =
      hasPatches && ImageGradient.canMultiply(windows, filters: filters, kernels)
      ? ImageGradient(windows, filters: filters, for: kernels) : nil
  }

  func forward(
    _ x: Matrix, _ w: Matrix, into y: Matrix, _ start: SumStart, _ finish: SumFinish,
    kernels: KernelSet
  ) {
    if let pairedForward, pairedForward.forward(x, w, into: y, start, finish) { return }
    weights.pack(w)
    if let directForward {
      directForward.forward(x, weights, into: results(y), start, finish, kernels: kernels)
      return
    }
    patches.images = x
    let left: LeftOperand =
      windows.arePixels ? .rows(x.base, stride: windows.channels) : .source(patches)
    BlockedProduct(
      kernels: kernels, left: left, right: .packed(weights), depth: windows.patchSize,
      c: results(y), start: start, finish: finish
    ).run()
  }

  /// Sums each shard's patches times gradients, and the shards along their tree.
  func gradientByWeights(
    _ x: Matrix, _ dy: Matrix, over shards: ShardRows, into dw: Matrix, kernels: KernelSet
  ) {
    var sum = ShardSum(width: dw.count, shards: shards, kernels: kernels)
    for shard in 0..<shards.count {
      let rows = shards.rows(of: shard)
      let partial = Matrix(sum.leaf, rows: dw.rows, columns: dw.columns)
      if rows.isEmpty {
        partial.elements.update(repeating: 0)
      } else if let pairedWeights {
        pairedWeights.gradientByWeights(x, dy, rows: rows, into: partial)
      } else if let directWeights {
        directWeights.gradientByWeights(
          x, results(dy), rows: rows, into: partial, kernels: kernels)
      } else {
        multiplyPatches(x, results(dy), rows: rows, into: partial, kernels)
      }
      sum.push(shard: shards.first + shard)
    }
    dw.base.update(from: sum.finish(), count: dw.count)
  }

  /// dw = the sum of the patches of these rows of x times dy, a result a row.
  private func multiplyPatches(
    _ x: Matrix, _ dy: Matrix, rows: Range<Int>, into dw: Matrix, _ kernels: KernelSet
  ) {
    patches.images = x
    let first = rows.lowerBound * windows.count
    forEachBlock(first..<rows.upperBound * windows.count) { block in
      BlockedProduct(
        kernels: kernels, left: .columns(gather(block, x, kernels), stride: windows.patchSize),
        right: .rows(dy.row(block.lowerBound), stride: filters), depth: block.count, c: dw,
        start: block.lowerBound == first ? .zero : .result, finish: .none
      ).run()
    }
  }

  /// Each result's gradient goes back to the pixels of its window.
  func gradientByImages(_ dy: Matrix, _ w: Matrix, into dx: Matrix, kernels: KernelSet) {
    let dy = results(dy)
    if let imageGradient {
      imageGradient.multiply(dy, w, into: dx, kernels: kernels)
      return
    }
    transposedWeights.packTranspose(w)
    if windows.arePixels {
      let pixels = Matrix(dx.base, rows: dx.rows * windows.count, columns: windows.channels)
      multiply(dy, into: pixels, kernels)
      return
    }
    dx.elements.update(repeating: 0)
    forEachBlock(0..<dy.rows) { block in
      let patches = Matrix(
        kernels.patches.reserve(block.count * windows.patchSize), rows: block.count,
        columns: windows.patchSize)
      multiply(
        Matrix(dy.row(block.lowerBound), rows: block.count, columns: filters), into: patches,
        kernels)
      withUnsafePointer(to: windows.raw) {
        kernels.table.images.scatter(
          $0, block.lowerBound, block.count, patches.base, windows.patchSize, dx.base)
      }
    }
  }

  /// patches = dy w^T
  private func multiply(_ dy: Matrix, into patches: Matrix, _ kernels: KernelSet) {
    BlockedProduct(
      kernels: kernels, left: .rows(dy.base, stride: filters), right: .packed(transposedWeights),
      depth: filters, c: patches, start: .zero, finish: .none
    ).run()
  }

  /// One result a row: a row of `y` has those of all windows of an image.
  private func results(_ y: Matrix) -> Matrix {
    Matrix(y.base, rows: y.rows * windows.count, columns: filters)
  }

  private func gather(
    _ block: Range<Int>, _ x: Matrix, _ kernels: KernelSet
  ) -> UnsafePointer<Float> {
    if windows.arePixels { return UnsafePointer(x.base) + block.lowerBound * windows.channels }
    let memory = kernels.patches.reserve(
      block.count * windows.patchSize + patches.slack)
    patches.write(
      rows: block, depth: 0..<windows.patchSize, to: memory, stride: windows.patchSize)
    return UnsafePointer(memory)
  }

  /// Blocks whose size depends on the window alone: it is part of the order of summation.
  private func forEachBlock(_ rows: Range<Int>, _ body: (Range<Int>) -> Void) {
    let size = Convolution.rowsOfBlock(windows)
    var start = rows.lowerBound
    while start < rows.upperBound {
      let end = min(start + size, rows.upperBound)
      body(start..<end)
      start = end
    }
  }
}

/// The patches of a batch of images as the left operand of a product.
private final class Patches: LeftSource {
  private let windows: CWindows
  private let windowCount: Int
  private let table: CImages
  var images = Matrix(UnsafeMutablePointer(bitPattern: 64)!, rows: 0, columns: 0)
  let depth: Int
  /// An image with its padding.
  private let padded: AlignedBuffer

  init(_ windows: ImageWindows, _ table: CImages) {
    self.windows = windows.raw
    self.table = table
    windowCount = windows.count
    depth = windows.patchSize
    padded = AlignedBuffer(count: windows.paddedSize + table.slack)
  }

  var rows: Int { images.rows * windowCount }
  var slack: Int { table.slack }

  func write(
    rows: Range<Int>, depth: Range<Int>, to block: UnsafeMutablePointer<Float>, stride: Int
  ) {
    withUnsafePointer(to: windows) {
      table.gather(
        $0, rows.lowerBound, rows.count, depth.lowerBound, depth.upperBound, images.base,
        padded.base, block, stride)
    }
  }
}
