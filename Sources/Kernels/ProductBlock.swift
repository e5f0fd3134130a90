import CKernels

/// A block of the left operand as the kernels read it; see `CProduct`.
struct LeftBlock {
  var base: UnsafePointer<Float>
  var stride: Int
  var form = CLeftRows
}

extension LeftBlock {
  /// A block of `rows` x `depth` elements, as rows or as columns: as it lies, or in scratch memory,
  /// spread, or copied where it would not stay in the first-level cache.
  /// - Parameter isSpread: see `ProductBlocks.isSpread`.
  func prepared(rows: Int, depth: Int, isSpread: Bool, _ kernels: KernelSet) -> LeftBlock {
    let areRows = form == CLeftRows
    if isSpread, let spread = kernels.table.products.spreadLeft {
      let block = kernels.packedLeft.reserve(rows * depth * kernels.table.products.lanes)
      spread(rows, depth, base, areRows ? stride : 1, areRows ? 1 : stride, block)
      return LeftBlock(base: UnsafePointer(block), stride: 0, form: CLeftSpread)
    }
    guard !areRows && ProductBlocks.isCopied(depth: depth, stride: stride) else { return self }
    let block = kernels.packedLeft.reserve(rows * depth)
    for d in 0..<depth { (block + d * rows).update(from: base + d * stride, count: rows) }
    return LeftBlock(base: UnsafePointer(block), stride: rows, form: CLeftColumns)
  }
}

/// A block of the right operand as the kernels read it; see `CProduct`.
struct RightBlock {
  var base: UnsafePointer<Float>
  var stride: Int
  var panelStride: Int
  /// Where the first product with this block packs it.
  var copy: UnsafeMutablePointer<Float>?
  var copyStride = 0

  /// The block as the products after the first read it.
  func packed(_ table: CProducts) -> RightBlock {
    guard let copy else { return self }
    return RightBlock(
      base: UnsafePointer(copy), stride: table.tileColumns, panelStride: copyStride)
  }
}

extension CProduct {
  /// The block `rows` x `columns` of `c`, over `depth`.
  /// - Parameters:
  ///   - isFirst: whether the sums begin here; else they go on from what `c` holds.
  ///   - isLast: whether the sums end here, so that `finish` applies.
  init(
    _ c: Matrix, rows: Range<Int>, columns: Range<Int>, depth: Int, _ left: LeftBlock,
    _ right: RightBlock, start: SumStart, isFirst: Bool, finish: SumFinish, isLast: Bool
  ) {
    let (row, column) = (rows.lowerBound, columns.lowerBound)
    let result = c.row(row) + column
    self.init(
      rows: rows.count, columns: columns.count, depth: depth, runs: 1, left: left.base,
      leftForm: left.form, leftStride: left.stride, leftRun: 0, right: right.base,
      rightStride: right.stride, rightRun: 0, panelStride: right.panelStride,
      copy: right.copy, copyStride: right.copyStride, start: nil, startStride: 0, result: result,
      resultStride: c.columns, finish: CFinishNone, mask: nil, maskStride: 0)
    switch start {
    case _ where !isFirst, .result:
      self.start = UnsafePointer(result)
      startStride = c.columns
    case .bias(let bias):
      self.start = bias + column
    case .zero: break
    }
    guard isLast else { return }
    switch finish {
    case .none, .activation: break
    case .relu:
      self.finish = CFinishReLU
    case .reluGradient(let y):
      self.finish = CFinishMask
      mask = UnsafePointer(y.row(row) + column)
      maskStride = y.columns
    }
  }
}
