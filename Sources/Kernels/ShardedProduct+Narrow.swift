import CKernels

/// Where `c` has few columns, such as a classifier's, most lanes of its last vector would be idle:
/// the transpose, right^T left, has full vectors, and the same sums.
extension ShardedProduct {
  /// Columns of the transpose that are made at once: they stay in the first-level cache until they
  /// are copied to `c`.
  static let panelsOfNarrow = 8

  /// Whether a quarter of the lanes would be idle, and all of `left` is read but once or twice.
  static func isNarrow(_ c: Matrix, _ table: CProducts) -> Bool {
    let lanes = (c.columns + table.lanes - 1) / table.lanes * table.lanes
    return 4 * c.columns <= 3 * lanes && c.columns <= ProductBlocks.tilesInPlace * table.tileRows
      && c.rows >= table.tileColumns
  }

  func runNarrow(rows: Range<Int>, columns: Range<Int>) {
    let width = ShardedProduct.panelsOfNarrow * table.tileColumns
    let block = kernels.packedLeft.reserve(columns.count * min(width, rows.count))
    withTree { tree in
      for part in EvenBlocks(of: rows.count, limit: width, unit: table.tileColumns) {
        let j = rows.lowerBound + part.lowerBound..<rows.lowerBound + part.upperBound
        let transpose = Matrix(block, rows: columns.count, columns: j.count)
        multiply(j, columns, into: transpose, &tree)
        copy(transpose, rows: j, columns: columns)
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
      base: right.base + rightColumns.lowerBound, stride: right.columns, form: CLeftColumns)
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
