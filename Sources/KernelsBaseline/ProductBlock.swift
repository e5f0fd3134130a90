import CKernels

// A block of a product, tile by tile.

func multiply(_ product: UnsafePointer<CProduct>) {
  if let copy = product.pointee.copy {
    multiplyCopying(product, copy)
  } else {
    multiplyPanels(product, nil)
  }
}

func multiplyShards(_ product: UnsafePointer<CProduct>, _ shards: UnsafePointer<CShards>) {
  multiplyPanels(product, shards)
}

/// Panel by panel, each of which stays in a cache near by.
@inline(__always)
private func multiplyPanels(
  _ product: UnsafePointer<CProduct>, _ shards: UnsafePointer<CShards>?
) {
  let columns = product.pointee.columns
  for column in stride(from: 0, to: columns, by: tileColumns) {
    multiplyPanel(
      product, shards, from: 0, column: column, width: min(tileColumns, columns - column))
  }
}

/// The same, where panels are still to be packed: the first tile stores what it loads.
private func multiplyCopying(
  _ product: UnsafePointer<CProduct>, _ copy: UnsafeMutablePointer<Float>
) {
  let columns = product.pointee.columns
  var packed = product.pointee
  packed.right = UnsafePointer(copy)
  packed.rightStride = tileColumns
  packed.panelStride = product.pointee.copyStride
  for column in stride(from: 0, to: columns, by: tileColumns) {
    let width = min(tileColumns, columns - column)
    let panel = copy + column / tileColumns * packed.panelStride
    let isCopied = width == tileColumns && canCopy(product)
    if isCopied {
      multiplyTile(product, copyingTo: panel, column: column)
    } else {
      let source = product.pointee.right + column / tileColumns * product.pointee.panelStride
      packRows(width, packed.depth, source, product.pointee.rightStride, panel, 0)
    }
    multiplyPanel(&packed, nil, from: isCopied ? tileRows : 0, column: column, width: width)
  }
}

/// Down a panel tile by tile.
@inline(__always)
private func multiplyPanel(
  _ product: UnsafePointer<CProduct>, _ shards: UnsafePointer<CShards>?, from first: Int,
  column: Int, width: Int
) {
  let rows = product.pointee.rows - first
  let tiles = tileCount(rows)
  let vectors = (width + lanes - 1) / lanes
  for tile in 0..<tiles {
    let row = first + firstRow(tile, of: tiles, rows)
    let height = first + firstRow(tile + 1, of: tiles, rows) - row
    if width < vectors * lanes {
      multiplyEdge(product, shards, rows: height, width: width, row: row, column: column)
    } else if let shards {
      multiplyShards(product, shards, rows: height, vectors: vectors, row: row, column: column)
    } else {
      multiplyTile(product, rows: height, vectors: vectors, row: row, column: column)
    }
  }
}

// Tiles of equal heights, to a row: a last tile of a row or two would leave the CPU waiting for the
// few sums that it has.

@inline(__always)
func tileCount(_ rows: Int) -> Int { (rows + tileRows - 1) / tileRows }

@inline(__always)
func firstRow(_ tile: Int, of tiles: Int, _ rows: Int) -> Int { tile * rows / tiles }

/// A tile whose last vector ends beyond the result: made in a tile of its own, of which `width`
/// columns are copied.
private func multiplyEdge(
  _ product: UnsafePointer<CProduct>, _ shards: UnsafePointer<CShards>?, rows: Int, width: Int,
  row: Int, column: Int
) {
  var tiles = InlineArray<72, Vector>(repeating: Vector(repeating: 0))
  withUnsafeMutableBytes(of: &tiles) { bytes in
    let result = bytes.baseAddress!.assumingMemoryBound(to: Float.self)
    let start = result + tileRows * tileColumns
    let mask = start + tileRows * tileColumns
    var tile = product.pointee
    tile.rows = rows
    tile.left = leftRow(row, of: product)
    tile.right += column / tileColumns * tile.panelStride
    tile.result = result
    tile.resultStride = tileColumns
    if let whole = tile.start {
      for i in 0..<rows {
        copy(width, whole + (row + i) * tile.startStride + column, start + i * tileColumns)
      }
      tile.start = UnsafePointer(start)
      tile.startStride = tileColumns
    }
    if let whole = tile.mask {
      for i in 0..<rows {
        copy(width, whole + (row + i) * tile.maskStride + column, mask + i * tileColumns)
      }
      tile.mask = UnsafePointer(mask)
      tile.maskStride = tileColumns
    }
    let vectors = (width + lanes - 1) / lanes
    if let shards {
      multiplyShards(&tile, shards, rows: rows, vectors: vectors, row: 0, column: 0)
    } else {
      multiplyTile(&tile, rows: rows, vectors: vectors, row: 0, column: 0)
    }
    for i in 0..<rows {
      copy(
        width, result + i * tileColumns,
        product.pointee.result + (row + i) * product.pointee.resultStride + column)
    }
  }
}

/// Copies `count` floats, at most a tile's width, by powers of two: faster than a call to memcpy.
@inline(__always)
func copy(_ count: Int, _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>) {
  var source = source
  var target = target
  if count >= lanes {
    store(load(source), target)
    source += lanes
    target += lanes
  }
  if lanes > 8 && count & 8 != 0 { copy(SIMD8<Float>.self, &source, &target) }
  if lanes > 4 && count & 4 != 0 { copy(SIMD4<Float>.self, &source, &target) }
  if count & 2 != 0 { copy(SIMD2<Float>.self, &source, &target) }
  if count & 1 != 0 { target.pointee = source.pointee }
}

@inline(__always)
private func copy<V: SIMD>(
  _: V.Type, _ source: inout UnsafePointer<Float>, _ target: inout UnsafeMutablePointer<Float>
) where V.Scalar == Float {
  UnsafeMutableRawPointer(target).storeBytes(
    of: UnsafeRawPointer(source).loadUnaligned(as: V.self), as: V.self)
  source += V.scalarCount
  target += V.scalarCount
}
