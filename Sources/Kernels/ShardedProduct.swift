import CKernels

/// c = start + left^T right, summed over rows shard by shard along the shard tree.
struct ShardedProduct {
  var kernels: KernelSet
  let left: Matrix
  let right: Matrix
  let shards: ShardRows
  let c: Matrix
  let start: SumStart

  var table: CProducts { kernels.table.products }

  /// Makes the rectangle of `c`, whose columns begin with a panel's.
  func run(rows: Range<Int>, columns: Range<Int>) {
    guard !rows.isEmpty, !columns.isEmpty else { return }
    if ShardedProduct.isNarrow(c, table) { return runNarrow(rows: rows, columns: columns) }
    let depth = left.rows
    // The depth is not cut: where it is too large, no block has the columns that make up for it.
    let isSpread =
      depth <= ProductBlocks.depth
      && ProductBlocks.isSpread(rows: rows.count, columns: columns.count, table)
    let leftFloats =
      if isSpread {
        ProductBlocks.leftFloats / table.lanes
      } else if ProductBlocks.isCopied(depth: depth, stride: left.columns) {
        ProductBlocks.leftFloats
      } else {
        left.count
      }
    let down = EvenBlocks(of: rows.count, limit: leftFloats / max(depth, 1), unit: table.tileRows)
    let rightFloats =
      down.count == 1 || isSpread ? ProductBlocks.rightFloatsForOne : ProductBlocks.rightFloats
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
            base: left.base + i.lowerBound, stride: left.columns, form: CLeftColumns
          ).prepared(rows: i.count, depth: depth, isSpread: isSpread, kernels)
          var product = CProduct(
            c, rows: i, columns: j, depth: depth, block, packed, start: start, isFirst: true,
            finish: .none, isLast: true)
          table.multiplyShards(&product, &tree)
        }
      }
    }
  }

  /// The shard tree as the kernels read it.
  func withTree(_ body: (inout CShards) -> Void) {
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
