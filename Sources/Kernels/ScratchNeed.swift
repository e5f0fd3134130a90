/// The scratch memory that operations take at most, in floats, on any kernel set: known before there is
/// any.
///
/// Scratch grows to the largest request: what several operations need is the most that one of them
/// needs, area by area.
public struct ScratchNeed: Equatable, Sendable {
  // Of each thread.
  var packedLeft = 0
  /// In the place of the former, where kernels want left operands spread.
  var spreadLeft = 0
  var packedRight = 0
  var partialSums = 0
  var patches = 0
  /// What convolutions keep: packed weights, and an image with its padding. They add up.
  var convolutions = 0
  /// Of the calling thread: sums of subtrees of shards.
  var subtreeSums = 0
  /// Of the calling thread: sums over the batch on their way to other ranks.
  var batchSums = 0
  /// Of the calling thread: what a sparse matrix's transpose is sorted into, 32 bits each.
  var indices = 0

  public init() {}

  /// For all of it, on so many threads.
  public func count(threads: Int) -> Int {
    threads
      * (max(packedLeft, spreadLeft) + packedRight + partialSums + patches + convolutions)
      + (threads == 1 ? 0 : subtreeSums) + batchSums + indices
  }

  /// Adds what other operations need.
  public mutating func add(_ other: ScratchNeed) {
    packedLeft = max(packedLeft, other.packedLeft)
    spreadLeft = max(spreadLeft, other.spreadLeft)
    packedRight = max(packedRight, other.packedRight)
    partialSums = max(partialSums, other.partialSums)
    patches = max(patches, other.patches)
    convolutions += other.convolutions
    subtreeSums = max(subtreeSums, other.subtreeSums)
    batchSums = max(batchSums, other.batchSums)
    indices = max(indices, other.indices)
  }

  /// For the products of a layer: x w, dy w^T and x^T dy, with x (rows, inputs) and w (inputs,
  /// outputs), and for sums of columns of dy.
  /// - Parameters:
  ///   - shards: of the whole batch.
  ///   - threads: that share the work.
  public static func products(
    rows: Int, inputs: Int, outputs: Int, shards: Int, threads: Int
  ) -> ScratchNeed {
    var need = columnSums(outputs, shards: shards, threads: threads)
    need.packedRight = max(
      packed(rows: rows, columns: outputs, depth: inputs),
      packed(rows: rows, columns: inputs, depth: outputs),
      packed(
        columns: outputs, depth: rows,
        isOneBlock: !ProductBlocks.isCopied(depth: rows, stride: inputs)
          || inputs * rows <= ProductBlocks.leftFloats / 2))
    need.packedLeft = max(
      copied(rows: inputs, depth: rows), transposed(rows: inputs, columns: outputs))
    need.spreadLeft = max(
      spread(rows: rows, columns: outputs, depth: inputs),
      spread(rows: rows, columns: inputs, depth: outputs),
      spread(rows: inputs, columns: outputs, depth: rows))
    need.partialSums = max(
      need.partialSums, 2 * levels(shards) * largestTile.rows * largestTile.columns)
    return need
  }

  /// For the sums of columns of a matrix, over shards.
  public static func columnSums(_ columns: Int, shards: Int, threads: Int) -> ScratchNeed {
    var need = ScratchNeed()
    need.partialSums = (2 * levels(shards) + 2) * columns
    need.subtreeSums = Subtrees.mostCount(shards: shards, threads: threads) * columns
    return need
  }

  /// For `width` sums over the batch at once, of the columns of a matrix.
  public static func batchSums(_ width: Int, shards: Int, threads: Int) -> ScratchNeed {
    var need = columnSums(width, shards: shards, threads: threads)
    // The complete subtrees that a run of shards is made of.
    need.batchSums = 2 * levels(shards) * width
    return need
  }

  /// For the product of a sparse matrix's transpose with dy (rows, outputs), and for an embedding's
  /// gradient, whose sparse matrix has one element a row.
  /// - Parameters:
  ///   - elements: stored ones.
  ///   - columns: of the sparse matrix: words.
  public static func sparseTranspose(
    elements: Int, columns: Int, outputs: Int, shards: Int
  ) -> ScratchNeed {
    var need = ScratchNeed()
    need.indices = columns + 2 + elements
    need.packedLeft = elements
    need.partialSums = levels(shards) * outputs
    return need
  }

  /// For a convolution of up to `images` images and its gradients.
  public static func convolution(
    _ windows: ImageWindows, filters: Int, images: Int, shards: Int, threads: Int
  ) -> ScratchNeed {
    let patch = windows.patchSize
    let rows = images * windows.count
    let block = min(Convolution.rowsOfBlock(windows), rows)
    // The gradient by the weights is a sum of matrices.
    var need = columnSums(patch * filters, shards: shards, threads: threads)
    need.packedLeft = max(
      blockOfLeft(rows: rows, depth: patch) + largestSlack, copied(rows: patch, depth: block))
    need.spreadLeft = max(
      spread(rows: rows, columns: filters, depth: patch),
      spread(rows: rows, columns: patch, depth: filters),
      spread(rows: patch, columns: filters, depth: block))
    need.packedRight = max(
      packed(rows: patch, columns: filters, depth: block), windows.count * largestTile.columns)
    need.patches = block * patch + largestSlack
    need.convolutions =
      panels(filters) * patch + panels(patch) * filters + windows.paddedSize + largestSlack
      + direct(windows, filters: filters)
    return need
  }

  /// What convolutions keep that read images where they lie: images with their padding, weights in
  /// other layouts, a row of windows.
  private static func direct(_ windows: ImageWindows, filters: Int) -> Int {
    let lanes = largestTile.columns / 2
    let run = windows.kernelWidth * windows.channels
    var count = windows.paddedSize + 1
    if windows.patchSize * filters <= DirectConvolution.mostWeights {
      let row = (run + lanes - 1) / lanes * lanes + lanes
      count += windows.kernelHeight * panels(run) * filters + windows.outputWidth * row + 2 * lanes
    }
    if 2 * filters <= lanes {
      count += windows.paddedSize + 1 + windows.patchSize * lanes
      count += windows.kernelHeight * (run + 1) / 2 * lanes + lanes
      count += windows.count * filters + 2 * lanes
    }
    return count
  }

  // Of AVX-512.
  private static let largestTile = (rows: 12, columns: 32)
  private static let largestSlack = 64
  // Columns of SSE2's and NEON's.
  private static let smallestPanel = 8

  private static func levels(_ shards: Int) -> Int { Int.bitWidth - shards.leadingZeroBitCount }

  /// Columns up to the end of the last panel.
  static func panels(_ columns: Int) -> Int {
    let width = largestTile.columns
    return (columns + width - 1) / width * width
  }

  /// Panels of a block of the right operand, of a product whose depth is cut.
  private static func packed(rows: Int, columns: Int, depth: Int) -> Int {
    let depth = min(depth, ProductBlocks.depth)
    let tile = largestTile.rows
    let rowsOfBlock = ProductBlocks.leftFloats / max(depth, 1) / tile * tile
    return packed(columns: columns, depth: depth, isOneBlock: rows <= max(rowsOfBlock, tile))
  }

  private static func packed(columns: Int, depth: Int, isOneBlock: Bool) -> Int {
    let limit = isOneBlock ? ProductBlocks.rightFloatsForOne : ProductBlocks.rightFloats
    return min(panels(columns) * depth, max(limit, largestTile.columns * depth))
  }

  private static func blockOfLeft(rows: Int, depth: Int) -> Int {
    let depth = min(depth, ProductBlocks.depth)
    return min(rows * depth, max(ProductBlocks.leftFloats, largestTile.rows * depth))
  }

  /// The transpose of a block of a result with few columns and enough rows.
  private static func transposed(rows: Int, columns: Int) -> Int {
    guard columns <= ProductBlocks.tilesInPlace * largestTile.rows, rows >= smallestPanel else {
      return 0
    }
    return columns * min(ShardedProduct.panelsOfNarrow * largestTile.columns, rows)
  }

  /// A transposed left operand, where it is copied.
  private static func copied(rows: Int, depth: Int) -> Int {
    guard ProductBlocks.isCopied(depth: depth, stride: rows) else { return 0 }
    return min(rows * depth, max(ProductBlocks.leftFloats, largestTile.rows * depth))
  }

  /// A block of a left operand, where it is spread: of a depth that is cut, or is not too deep.
  private static func spread(rows: Int, columns: Int, depth: Int) -> Int {
    guard columns >= ProductBlocks.panelsOfSpread * smallestPanel else { return 0 }
    let lanes = smallestPanel / 2
    return min(rows * min(depth, ProductBlocks.depth) * lanes, ProductBlocks.leftFloats)
  }
}

extension KernelSet {
  /// Takes the memory for `need` at once, all threads'; but for that of convolutions, which is taken
  /// by the first of each.
  public func reserve(_ need: ScratchNeed) {
    for kernels in [self] + helpers {
      let spreadLeft = kernels.table.products.spreadLeft == nil ? 0 : need.spreadLeft
      _ = kernels.packedLeft.reserve(max(need.packedLeft, spreadLeft))
      _ = kernels.packedRight.reserve(need.packedRight)
      _ = kernels.partialSums.reserve(need.partialSums)
      _ = kernels.patches.reserve(need.patches)
    }
    if threads > 1 { _ = subtreeSums.reserve(need.subtreeSums) }
    _ = batchSums.reserve(need.batchSums)
    _ = indices.reserve(need.indices)
  }

  /// Floats of scratch that there are, all threads'; but for what convolutions keep.
  var scratchCount: Int {
    ([self] + helpers).reduce(0) { count, kernels in
      count
        + [
          kernels.packedLeft, kernels.packedRight, kernels.partialSums, kernels.patches,
          kernels.subtreeSums, kernels.batchSums,
        ].reduce(kernels.indices.count) { $0 + $1.count }
    }
  }
}
