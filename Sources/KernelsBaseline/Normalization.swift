import CKernels

func normalizationTable() -> CNormalization {
  CNormalization(
    normalizeRows: normalizeRows, normalizeRowsGradient: normalizeRowsGradient,
    sumRowProducts: sumRowProducts,
    sumColumnSquares: sumColumnSquares, normalizeColumns: normalizeColumns,
    normalizeColumnsGradient: normalizeColumnsGradient, sumColumnProducts: sumColumnProducts)
}

// Of rows: layer normalization (Ba, Kiros & Hinton, 2016).

private func normalizeRows(
  _ rows: Int, _ columns: Int, _ epsilon: Float, _ x: UnsafePointer<Float>,
  _ gain: UnsafePointer<Float>, _ bias: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>,
  _ means: UnsafeMutablePointer<Float>, _ scales: UnsafeMutablePointer<Float>
) {
  let (share, end) = (1 / Float(columns), x + rows * columns)
  for i in 0..<rows {
    let row = x + i * columns
    let mean = share * sum(columns) { j, n in load(row + j, count: n, fill: 0, end: end) }
    // About the mean, not as a difference of squares: nothing cancels.
    let variance =
      share
      * sum(columns) { j, n in
        let deviation = load(row + j, count: n, fill: 0, end: end) - mean
        return deviation * deviation
      }
    let scale = 1 / (variance + epsilon).squareRoot()
    means[i] = mean
    scales[i] = scale
    writeRow(columns, y + i * columns) { j, n in
      multiplyAdd(
        load(bias + j, count: n, fill: 0, end: bias + columns),
        (load(row + j, count: n, fill: 0, end: end) - mean) * scale,
        load(gain + j, count: n, fill: 0, end: gain + columns))
    }
  }
}

/// With z the normalized row and g = dy gain: dx = scale (g - mean of g - z mean of (g z)).
private func normalizeRowsGradient(
  _ rows: Int, _ columns: Int, _ x: UnsafePointer<Float>, _ dy: UnsafePointer<Float>,
  _ means: UnsafePointer<Float>, _ scales: UnsafePointer<Float>, _ gain: UnsafePointer<Float>,
  _ dx: UnsafeMutablePointer<Float>
) {
  let (share, size) = (1 / Float(columns), rows * columns)
  for i in 0..<rows {
    let (row, dyRow) = (x + i * columns, dy + i * columns)
    let (mean, scale) = (means[i], scales[i])
    @inline(__always)
    func normalized(_ j: Int, _ n: Int) -> Vector {
      (load(row + j, count: n, fill: 0, end: x + size) - mean) * scale
    }
    @inline(__always)
    func scaled(_ j: Int, _ n: Int) -> Vector {
      load(dyRow + j, count: n, fill: 0, end: dy + size)
        * load(gain + j, count: n, fill: 0, end: gain + columns)
    }
    let mean1 = share * sum(columns) { j, n in scaled(j, n) }
    let mean2 = share * sum(columns) { j, n in scaled(j, n) * normalized(j, n) }
    writeRow(columns, dx + i * columns) { j, n in
      (scaled(j, n) - mean1 - normalized(j, n) * mean2) * scale
    }
  }
}

// Of columns: batch normalization (Ioffe & Szegedy, ICML 2015). Means and sums come from outside:
// they are those of the whole batch, on all ranks.

private func normalizeColumns(
  _ rows: Int, _ columns: Int, _ x: UnsafePointer<Float>, _ means: UnsafePointer<Float>,
  _ scales: UnsafePointer<Float>, _ gain: UnsafePointer<Float>, _ bias: UnsafePointer<Float>,
  _ y: UnsafeMutablePointer<Float>
) {
  let end = x + rows * columns
  forBlocks(rows, columns) { block, j, count in
    let mean = load(means + j, atMost: count)
    let scale = load(scales + j, atMost: count)
    let (factor, offset) = (load(gain + j, atMost: count), load(bias + j, atMost: count))
    for i in block {
      let deviation = load(x + i * columns + j, count: count, fill: 0, end: end) - mean
      store(
        multiplyAdd(offset, deviation * scale, factor), y + i * columns + j, atMost: count)
    }
  }
}

/// With z the normalized column: dx = gain scale (dy - (dbias + z dgain) / count).
private func normalizeColumnsGradient(
  _ rows: Int, _ columns: Int, _ count: Int, _ x: UnsafePointer<Float>, _ dy: UnsafePointer<Float>,
  _ means: UnsafePointer<Float>, _ scales: UnsafePointer<Float>, _ gain: UnsafePointer<Float>,
  _ dgain: UnsafePointer<Float>, _ dbias: UnsafePointer<Float>, _ dx: UnsafeMutablePointer<Float>
) {
  let (share, size) = (1 / Float(count), rows * columns)
  forBlocks(rows, columns) { block, j, count in
    let mean = load(means + j, atMost: count)
    let scale = load(scales + j, atMost: count)
    let factor = load(gain + j, atMost: count) * scale
    let (sumProducts, sum) = (load(dgain + j, atMost: count), load(dbias + j, atMost: count))
    for i in block {
      let z = (load(x + i * columns + j, count: count, fill: 0, end: x + size) - mean) * scale
      let shared = multiplyAdd(sum, z, sumProducts) * share
      let slope = load(dy + i * columns + j, count: count, fill: 0, end: dy + size)
      store((slope - shared) * factor, dx + i * columns + j, atMost: count)
    }
  }
}

/// Calls `body` for each vector's width of columns (the last may be narrower) of each block of rows:
/// what belongs to columns is loaded once for the block. More rows, a power of two apart, would not
/// stay in the first-level cache together.
@inline(__always)
private func forBlocks(
  _ rows: Int, _ columns: Int, _ body: (_ block: Range<Int>, _ j: Int, _ count: Int) -> Void
) {
  var start = 0
  while start < rows {
    let end = rows - start < 8 ? rows : start + 8
    var j = 0
    while j < columns {
      body(start..<end, j, columns - j < lanes ? columns - j : lanes)
      j += lanes
    }
    start = end
  }
}

/// y[j] = the value from column j, of which the first `count` are written.
@inline(__always)
private func writeRow(
  _ columns: Int, _ y: UnsafeMutablePointer<Float>, _ value: (_ j: Int, _ count: Int) -> Vector
) {
  var j = 0
  while j < columns {
    let count = columns - j < lanes ? columns - j : lanes
    store(value(j, count), y + j, atMost: count)
    j += lanes
  }
}
