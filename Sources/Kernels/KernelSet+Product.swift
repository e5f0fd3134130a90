// The three matrix products of a dense layer, blocked for the caches: a block of the right operand
// is packed for the second-level cache and beyond, a block of the left one for the second level,
// and the register tile runs down panels that stream from the first.

/// One operand of a product, as the packing sees it: lines of `lineStride` floats, which run either
/// along the panel (rows of a right operand) or along the depth (rows of a left operand).
private struct Operand {
  let base: UnsafePointer<Float>
  let lineStride: Int
  let linesRunAlongDepth: Bool

  /// Packs `extent` lines across the panel by `depth`, starting at (`offset`, `depthOffset`), as
  /// panels of `width`, one after the other.
  func pack(
    offset: Int, extent: Int, depthOffset: Int, depth: Int, width: Int, kernels: KernelSet,
    into panels: UnsafeMutablePointer<Float>
  ) {
    let pack = linesRunAlongDepth ? kernels.table.packColumns : kernels.table.packRows
    for start in stride(from: 0, to: extent, by: width) {
      let across = offset + start
      let source =
        linesRunAlongDepth
        ? base + across * lineStride + depthOffset : base + depthOffset * lineStride + across
      pack(width, min(width, extent - start), depth, source, lineStride, panels + start * depth)
    }
  }
}

extension KernelSet {
  /// Depth of a packed block. A right panel and a left panel of this depth fill some two thirds of
  /// a 48 KB first-level cache. It is part of the result's bits: every element is summed in blocks
  /// of it.
  private static let depthBlock = 256
  /// Floats in a packed block: half of a 1 MB second-level cache for the left operand.
  private static let leftBlock = 128 * 1024
  private static let rightBlock = 512 * 1024

  /// y = x w: (m, k) times (k, n) gives (m, n).
  public func product(_ x: Matrix, _ w: Matrix, into y: Matrix) {
    precondition(x.columns == w.rows && y.rows == x.rows && y.columns == w.columns)
    multiply(
      Operand(base: x.base, lineStride: x.columns, linesRunAlongDepth: true),
      Operand(base: w.base, lineStride: w.columns, linesRunAlongDepth: false),
      depth: x.columns, into: y)
  }

  /// dx = dy w^T: (m, n) times the transpose of (k, n) gives (m, k).
  public func productWithTranspose(_ dy: Matrix, _ w: Matrix, into dx: Matrix) {
    precondition(dy.columns == w.columns && dx.rows == dy.rows && dx.columns == w.rows)
    multiply(
      Operand(base: dy.base, lineStride: dy.columns, linesRunAlongDepth: true),
      Operand(base: w.base, lineStride: w.columns, linesRunAlongDepth: true),
      depth: dy.columns, into: dx)
  }

  /// dw = x^T dy: the transpose of (m, k) times (m, n) gives (k, n), summed over the m rows shard
  /// by shard along the shard tree. The tree costs little: it is summed tile by tile, in the
  /// first-level cache.
  public func productOfTranspose(_ x: Matrix, _ dy: Matrix, over shards: ShardRows, into dw: Matrix)
  {
    precondition(x.rows == dy.rows && dw.rows == x.columns && dw.columns == dy.columns)
    precondition(shards.rows == x.rows)
    let depth = x.rows
    let left = Operand(base: x.base, lineStride: x.columns, linesRunAlongDepth: false)
    let right = Operand(base: dy.base, lineStride: dy.columns, linesRunAlongDepth: false)
    let (tileRows, tileColumns) = (table.tileRows, table.tileColumns)
    let rowBlock = blockSize(KernelSet.leftBlock, depth: depth, tile: tileRows, of: dw.rows)
    let columnBlock = blockSize(
      KernelSet.rightBlock, depth: depth, tile: tileColumns, of: dw.columns)
    let packedLeft = self.packedLeft.reserve(rowBlock * depth)
    let packedRight = self.packedRight.reserve(columnBlock * depth)
    var sum = ShardSum(width: tileRows * tileColumns, shards: shards, kernels: self)

    for j in stride(from: 0, to: dw.columns, by: columnBlock) {
      let columns = min(columnBlock, dw.columns - j)
      right.pack(
        offset: j, extent: columns, depthOffset: 0, depth: depth, width: tileColumns,
        kernels: self, into: packedRight)
      for i in stride(from: 0, to: dw.rows, by: rowBlock) {
        let rows = min(rowBlock, dw.rows - i)
        left.pack(
          offset: i, extent: rows, depthOffset: 0, depth: depth, width: tileRows, kernels: self,
          into: packedLeft)
        for jr in stride(from: 0, to: columns, by: tileColumns) {
          for ir in stride(from: 0, to: rows, by: tileRows) {
            for shard in 0..<shards.count {
              let range = shards.rows(of: shard)
              multiplyTile(
                packedLeft + ir * depth, packedRight + jr * depth, range, into: sum.leaf)
              sum.push(shard: shards.first + shard)
            }
            copyTile(
              sum.finish(), to: dw, row: i + ir, column: j + jr,
              rows: min(tileRows, rows - ir), columns: min(tileColumns, columns - jr))
          }
        }
      }
    }
  }

  /// Sums one tile over the rows in `range` of two packed panels, in blocks of `depthBlock`.
  private func multiplyTile(
    _ left: UnsafePointer<Float>, _ right: UnsafePointer<Float>, _ range: Range<Int>,
    into tile: UnsafeMutablePointer<Float>
  ) {
    var start = range.lowerBound
    repeat {
      let depth = min(KernelSet.depthBlock, range.upperBound - start)
      table.multiplyTile(
        depth, left + start * table.tileRows, right + start * table.tileColumns, tile,
        table.tileColumns, start > range.lowerBound)
      start += depth
    } while start < range.upperBound
  }

  private func copyTile(
    _ tile: UnsafePointer<Float>, to c: Matrix, row: Int, column: Int, rows: Int, columns: Int
  ) {
    for r in 0..<rows {
      (c.row(row + r) + column).update(from: tile + r * table.tileColumns, count: columns)
    }
  }

  private func multiply(_ left: Operand, _ right: Operand, depth: Int, into c: Matrix) {
    if depth == 0 {
      c.elements.update(repeating: 0)
      return
    }
    let (tileRows, tileColumns) = (table.tileRows, table.tileColumns)
    let depthBlock = min(KernelSet.depthBlock, depth)
    let rowBlock = blockSize(KernelSet.leftBlock, depth: depthBlock, tile: tileRows, of: c.rows)
    let columnBlock = blockSize(
      KernelSet.rightBlock, depth: depthBlock, tile: tileColumns, of: c.columns)
    let packedLeft = self.packedLeft.reserve(rowBlock * depthBlock)
    let packedRight = self.packedRight.reserve(columnBlock * depthBlock)
    let edge = partialSums.reserve(tileRows * tileColumns)

    for j in stride(from: 0, to: c.columns, by: columnBlock) {
      let columns = min(columnBlock, c.columns - j)
      for d in stride(from: 0, to: depth, by: depthBlock) {
        let block = min(depthBlock, depth - d)
        right.pack(
          offset: j, extent: columns, depthOffset: d, depth: block, width: tileColumns,
          kernels: self, into: packedRight)
        for i in stride(from: 0, to: c.rows, by: rowBlock) {
          let rows = min(rowBlock, c.rows - i)
          left.pack(
            offset: i, extent: rows, depthOffset: d, depth: block, width: tileRows, kernels: self,
            into: packedLeft)
          for jr in stride(from: 0, to: columns, by: tileColumns) {
            for ir in stride(from: 0, to: rows, by: tileRows) {
              let validRows = min(tileRows, rows - ir)
              let validColumns = min(tileColumns, columns - jr)
              let (a, b) = (packedLeft + ir * block, packedRight + jr * block)
              if validRows == tileRows && validColumns == tileColumns {
                table.multiplyTile(block, a, b, c.row(i + ir) + j + jr, c.columns, d > 0)
              } else {
                table.multiplyTile(block, a, b, edge, tileColumns, false)
                storeEdge(
                  edge, to: c, row: i + ir, column: j + jr, rows: validRows, columns: validColumns,
                  accumulate: d > 0)
              }
            }
          }
        }
      }
    }
  }

  /// Stores the part of a tile that lies inside `c`, with the additions of a full tile.
  private func storeEdge(
    _ tile: UnsafePointer<Float>, to c: Matrix, row: Int, column: Int, rows: Int, columns: Int,
    accumulate: Bool
  ) {
    guard accumulate else {
      copyTile(tile, to: c, row: row, column: column, rows: rows, columns: columns)
      return
    }
    for r in 0..<rows { table.add(columns, tile + r * table.tileColumns, c.row(row + r) + column) }
  }

  /// The largest multiple of `tile` for which a packed block of `depth` stays within `floats`, at
  /// least one tile and no more than covers `extent`.
  private func blockSize(_ floats: Int, depth: Int, tile: Int, of extent: Int) -> Int {
    let covering = (extent + tile - 1) / tile * tile
    return max(tile, min(covering, floats / max(depth, 1) / tile * tile))
  }
}
