import CKernels

/// The right operand of a product, depth x columns.
enum RightOperand {
  /// Element (d, j) is base[d * stride + j].
  case rows(UnsafePointer<Float>, stride: Int)
  /// Element (d, j) is base[j * stride + d].
  case columns(UnsafePointer<Float>, stride: Int)
  case packed(PackedMatrix)
}

/// c = finish(start + left right), cut into blocks for the caches.
///
/// Loops, from the outside: blocks of columns, of the depth, of rows; within a block the kernel goes
/// panel by panel. Between blocks of the depth, sums wait in `c` as they are: what the blocks are
/// does not show in the result.
struct BlockedProduct {
  var kernels: KernelSet
  var left: LeftOperand
  let right: RightOperand
  let depth: Int
  var c: Matrix
  let start: SumStart
  var finish: SumFinish

  private var table: CProducts { kernels.table.products }

  func run() { run(columns: 0..<c.columns) }

  /// Makes some of the columns, from the first of a panel on.
  func run(columns: Range<Int>) {
    guard c.rows > 0, !columns.isEmpty else { return }
    if case .rows(let base, let stride) = right,
      c.rows <= ProductBlocks.tilesInPlace * table.tileRows
    {
      runInPlace(base, stride, columns: columns)
    } else {
      runPacked(columns: columns)
    }
  }

  /// The product that makes some of the rows.
  func rows(_ range: Range<Int>) -> BlockedProduct {
    var part = self
    part.c = c.rows(range)
    switch left {
    case .rows(let base, let stride):
      part.left = .rows(base + range.lowerBound * stride, stride: stride)
    case .columns(let base, let stride):
      part.left = .columns(base + range.lowerBound, stride: stride)
    case .source:
      preconditionFailure("a left source is written from its first row on")
    }
    part.finish = finish.rows(range)
    return part
  }

  /// Reads the right operand where it lies, as far as there are whole vectors. The last columns are
  /// packed.
  private func runInPlace(_ base: UnsafePointer<Float>, _ stride: Int, columns: Range<Int>) {
    let whole = columns.lowerBound..<columns.lowerBound + columns.count / table.lanes * table.lanes
    let base = base + whole.lowerBound
    if case .rows(let left, let leftStride) = left, c.rows <= table.streamedRows {
      let left = LeftBlock(base: left, stride: leftStride)
      let right = RightBlock(base: base, stride: stride, panelStride: 0)
      var product = block(rows: 0..<c.rows, columns: whole, depth: 0..<depth, left, right)
      table.multiplyRows(&product)
    } else {
      for d in EvenBlocks(of: depth, limit: ProductBlocks.depth) {
        let right = RightBlock(
          base: base + d.lowerBound * stride, stride: stride, panelStride: table.tileColumns)
        let left = leftBlock(rows: 0..<c.rows, depth: d, isSpread: isSpread(columns: whole.count))
        var product = block(rows: 0..<c.rows, columns: whole, depth: d, left, right)
        table.multiply(&product)
      }
    }
    activate(rows: 0..<c.rows, columns: whole)
    if whole.upperBound < columns.upperBound {
      runPacked(columns: whole.upperBound..<columns.upperBound)
    }
  }

  private func runPacked(columns: Range<Int>) {
    let isSpread = isSpread(columns: columns.count)
    // A spread operand is as large as if there were several.
    let copies = isSpread ? table.lanes : 1
    let depths = EvenBlocks(of: depth, limit: ProductBlocks.depth / copies, unit: table.lanes)
    let rows = EvenBlocks(
      of: c.rows, limit: ProductBlocks.leftFloats / copies / depths.size, unit: table.tileRows)
    let rightFloats =
      rows.count == 1 || isSpread ? ProductBlocks.rightFloatsForOne : ProductBlocks.rightFloats
    for part in EvenBlocks(
      of: columns.count, limit: rightFloats / depths.size, unit: table.tileColumns)
    {
      let j = columns.lowerBound + part.lowerBound..<columns.lowerBound + part.upperBound
      for d in depths {
        var right = rightBlock(columns: j, depth: d, isUsedOnce: rows.count == 1)
        for i in rows {
          let left = leftBlock(rows: i, depth: d, isSpread: isSpread)
          var product = block(rows: i, columns: j, depth: d, left, right)
          table.multiply(&product)
          right = right.packed(table)
          if d.upperBound == depth { activate(rows: i, columns: j) }
        }
      }
    }
  }

  private func block(
    rows: Range<Int>, columns: Range<Int>, depth: Range<Int>, _ left: LeftBlock,
    _ right: RightBlock
  ) -> CProduct {
    CProduct(
      c, rows: rows, columns: columns, depth: depth.count, left, right, start: start,
      isFirst: depth.lowerBound == 0, finish: finish, isLast: depth.upperBound == self.depth)
  }

  /// Whether the left operand is spread; what is written block by block is used as it is.
  private func isSpread(columns: Int) -> Bool {
    if case .source = left { return false }
    return ProductBlocks.isSpread(rows: c.rows, columns: columns, table)
  }

  private func leftBlock(rows: Range<Int>, depth: Range<Int>, isSpread: Bool) -> LeftBlock {
    switch left {
    case .rows(let base, let stride):
      return LeftBlock(base: base + rows.lowerBound * stride + depth.lowerBound, stride: stride)
        .prepared(rows: rows.count, depth: depth.count, isSpread: isSpread, kernels)
    case .columns(let base, let stride):
      let base = base + depth.lowerBound * stride + rows.lowerBound
      return LeftBlock(base: base, stride: stride, form: CLeftColumns)
        .prepared(rows: rows.count, depth: depth.count, isSpread: isSpread, kernels)
    case .source(let source):
      let block = kernels.packedLeft.reserve(rows.count * depth.count + source.slack)
      source.write(rows: rows, depth: depth, to: block, stride: depth.count)
      return LeftBlock(base: UnsafePointer(block), stride: depth.count)
    }
  }

  /// The right operand's block as panels, or as rows and memory for its panels.
  /// - Parameter isUsedOnce: whether a panel may take the place of the one before.
  private func rightBlock(columns: Range<Int>, depth: Range<Int>, isUsedOnce: Bool) -> RightBlock {
    let width = table.tileColumns
    let panelStride = depth.count * width
    let panels = (columns.count + width - 1) / width
    switch right {
    case .rows(let base, let stride):
      return RightBlock(
        base: base + depth.lowerBound * stride + columns.lowerBound, stride: stride,
        panelStride: width,
        copy: kernels.packedRight.reserve((isUsedOnce ? 1 : panels) * panelStride),
        copyStride: isUsedOnce ? 0 : panelStride)
    case .columns(let base, let stride):
      let packed = kernels.packedRight.reserve(panels * panelStride)
      table.packColumns(
        columns.count, depth.count, base + columns.lowerBound * stride + depth.lowerBound, stride,
        packed, panelStride)
      return RightBlock(base: UnsafePointer(packed), stride: width, panelStride: panelStride)
    case .packed(let matrix):
      return RightBlock(
        base: matrix.panel(column: columns.lowerBound, depth: depth.lowerBound), stride: width,
        panelStride: matrix.panelStride)
    }
  }

  /// Applies an activation that is not the register tile's to finished sums.
  private func activate(rows: Range<Int>, columns: Range<Int>) {
    guard case .activation(let function) = finish else { return }
    for i in rows {
      let row = c.row(i) + columns.lowerBound
      function(columns.count, row, row)
    }
  }
}
