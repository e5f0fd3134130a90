import CKernels

/// c = start + left^T right, summed over rows shard by shard along the shard tree.
struct ShardedProduct {
  let kernels: KernelSet
  let left: Matrix
  let right: Matrix
  let shards: ShardRows
  let c: Matrix
  let start: SumStart

  func run() {
    guard c.count > 0 else { return }
    let table = kernels.table.products
    let tile = table.tileRows * table.tileColumns
    let waiting = kernels.partialSums.reserve(shards.mostWaiting * tile)
    let depth = left.rows
    let leftFloats =
      ProductBlocks.isCopied(depth: depth, stride: left.columns)
      ? ProductBlocks.leftFloats : left.count
    let rows = EvenBlocks(of: c.rows, limit: leftFloats / max(depth, 1), unit: table.tileRows)
    let rightFloats =
      rows.count == 1 ? ProductBlocks.rightFloatsForOne : ProductBlocks.rightFloats
    let columns = EvenBlocks(
      of: c.columns, limit: rightFloats / max(depth, 1), unit: table.tileColumns)
    let panelStride = depth * table.tileColumns
    let panels = kernels.packedRight.reserve(columns.size / table.tileColumns * panelStride)
    withUnsafeTemporaryAllocation(of: Int8.self, capacity: shards.count) { merges in
      shards.fillMerges(merges)
      shards.ends.withUnsafeBufferPointer { ends in
        var tree = CShards(
          count: shards.count, ends: ends.baseAddress!, merges: merges.baseAddress!,
          waiting: waiting)
        for j in columns {
          table.packRows(
            j.count, depth, right.base + j.lowerBound, right.columns, panels, panelStride)
          let packed = RightBlock(
            base: UnsafePointer(panels), stride: table.tileColumns, panelStride: panelStride)
          for i in rows {
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
  }
}
