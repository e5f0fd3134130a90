import CKernels

/// c = start + left^T right, summed over rows shard by shard along the shard tree.
struct ShardedProduct {
  var kernels: KernelSet
  let left: Matrix
  let right: Matrix
  let shards: ShardRows
  let c: Matrix
  let start: SumStart

  private var table: CProducts { kernels.table.products }

  /// Makes the rectangle of `c`, whose columns begin with a panel's.
  func run(rows: Range<Int>, columns: Range<Int>) {
    guard !rows.isEmpty, !columns.isEmpty else { return }
    if ShardedProduct.isNarrow(c, table) { return runNarrow(rows: rows, columns: columns) }
    let depth = left.rows
    let leftFloats =
      ProductBlocks.isCopied(depth: depth, stride: left.columns)
      ? ProductBlocks.leftFloats : left.count
    let down = EvenBlocks(of: rows.count, limit: leftFloats / max(depth, 1), unit: table.tileRows)
    let rightFloats =
      down.count == 1 ? ProductBlocks.rightFloatsForOne : ProductBlocks.rightFloats
    let across = EvenBlocks(
      of: columns.count, limit: rightFloats / max(depth, 1), unit: table.tileColumns)
    let panelStride = depth * table.tileColumns
    let panels = kernels.packedRight.reserve(across.size / table.tileColumns * panelStride)
    withTree { tree in
      for part in across {
        let j = columns.lowerBound + part.lowerBound..<columns.lowerBound + part.upperBound
        table.packRows(
          j.count, depth, right.base + j.lowerBound, right.columns, panels, panelStride)
        let packed = RightBlock(
          base: UnsafePointer(panels), stride: table.tileColumns, panelStride: panelStride)
        for part in down {
          let i = rows.lowerBound + part.lowerBound..<rows.lowerBound + part.upperBound
          let block = LeftBlock(
            transposed: left.base + i.lowerBound, stride: left.columns, rows: i.count,
            depth: depth, kernels)
          var product = CProduct(
            c, rows: i, columns: j, depth: depth, block, packed, start: start, isFirst: true,
            finish: .none, isLast: true)
          table.multiplyShards(&product, &tree)
        }
      }
    }
  }

  /// The shard tree as the kernels read it.
  private func withTree(_ body: (inout CShards) -> Void) {
    let tile = table.tileRows * table.tileColumns
    let waiting = kernels.partialSums.reserve(shards.mostWaiting * tile)
    withUnsafeTemporaryAllocation(of: Int8.self, capacity: shards.count) { merges in
      withUnsafeTemporaryAllocation(of: Int.self, capacity: shards.count) { ends in
        shards.fillMerges(merges)
        for i in 0..<shards.count { ends.initializeElement(at: i, to: shards.end(of: i)) }
        var tree = CShards(
          count: shards.count, ends: ends.baseAddress!, merges: merges.baseAddress!,
          waiting: waiting)
        body(&tree)
      }
    }
  }
}

// MARK: Few columns

/// Where `c` has few columns, such as a classifier's, most lanes of its last vector would be idle:
/// the transpose, right^T left, has full vectors, and the same sums.
extension ShardedProduct {
  /// Columns of the transpose that are made at once: they stay in the first-level cache until they
  /// are copied to `c`.
  private static let panelsOfNarrow = 8

  /// Whether a quarter of the lanes would be idle, and all of `left` is read but once or twice.
  static func isNarrow(_ c: Matrix, _ table: CProducts) -> Bool {
    let lanes = (c.columns + table.lanes - 1) / table.lanes * table.lanes
    return 4 * c.columns <= 3 * lanes && c.columns <= ProductBlocks.tilesInPlace * table.tileRows
      && c.rows >= table.tileColumns
  }

  private func runNarrow(rows: Range<Int>, columns: Range<Int>) {
    let width = ShardedProduct.panelsOfNarrow * table.tileColumns
    withTree { tree in
      withUnsafeTemporaryAllocation(of: Float.self, capacity: columns.count * width) { block in
        for part in EvenBlocks(of: rows.count, limit: width, unit: table.tileColumns) {
          let j = rows.lowerBound + part.lowerBound..<rows.lowerBound + part.upperBound
          let transpose = Matrix(block.baseAddress!, rows: columns.count, columns: j.count)
          multiply(j, columns, into: transpose, &tree)
          copy(transpose, rows: j, columns: columns)
        }
      }
    }
  }

  /// transpose = right^T left, of some columns of both. Whole vectors of `left` are read where they
  /// lie.
  private func multiply(
    _ leftColumns: Range<Int>, _ rightColumns: Range<Int>, into transpose: Matrix,
    _ tree: inout CShards
  ) {
    let depth = left.rows
    let block = LeftBlock(
      base: right.base + rightColumns.lowerBound, stride: right.columns, isTransposed: true)
    let whole = leftColumns.count / table.lanes * table.lanes
    let base = left.base + leftColumns.lowerBound
    func run(_ columns: Range<Int>, _ operand: RightBlock) {
      guard !columns.isEmpty else { return }
      var product = CProduct(
        transpose, rows: 0..<transpose.rows, columns: columns, depth: depth, block, operand,
        start: .zero, isFirst: true, finish: .none, isLast: true)
      table.multiplyShards(&product, &tree)
    }
    run(
      0..<whole, RightBlock(base: base, stride: left.columns, panelStride: table.tileColumns))
    guard whole < leftColumns.count else { return }
    let panel = kernels.packedRight.reserve(depth * table.tileColumns)
    table.packRows(
      leftColumns.count - whole, depth, base + whole, left.columns, panel, depth * table.tileColumns
    )
    run(
      whole..<leftColumns.count,
      RightBlock(
        base: UnsafePointer(panel), stride: table.tileColumns,
        panelStride: depth * table.tileColumns))
  }

  private func copy(_ transpose: Matrix, rows: Range<Int>, columns: Range<Int>) {
    let isAdded = if case .result = start { true } else { false }
    for (j, row) in rows.enumerated() {
      let target = c.row(row) + columns.lowerBound
      let source = transpose.base + j
      if isAdded {
        for i in 0..<columns.count { target[i] += source[i * transpose.columns] }
      } else {
        for i in 0..<columns.count { target[i] = source[i * transpose.columns] }
      }
    }
  }
}
