// Sums down the columns of a matrix: of biases' gradients, and for normalization.

/// Rows are added in blocks of so many, then the blocks: the error grows with a block and with the
/// number of blocks, not with the number of rows.
private let blockRows = 128

/// sums[j] = the sum of column j's terms, in blocks of rows from the first to the last.
///
/// - Parameter terms: the terms of `row` from column `j`, of which the first `count` are counted.
@inline(__always)
private func sumColumns(
  _ rows: Int, _ columns: Int, _ sums: UnsafeMutablePointer<Float>,
  _ terms: (_ row: Int, _ j: Int, _ count: Int) -> Vector
) {
  for j in 0..<columns { sums[j] = 0 }
  var start = 0
  while start < rows {
    let end = rows - start < blockRows ? rows : start + blockRows
    var j = 0
    // Four vectors side by side, so that one addition does not wait for the other.
    while j + 4 * lanes <= columns {
      var (s0, s1, s2, s3) = (
        Vector(repeating: 0), Vector(repeating: 0), Vector(repeating: 0), Vector(repeating: 0)
      )
      for row in start..<end {
        s0 += terms(row, j, lanes)
        s1 += terms(row, j + lanes, lanes)
        s2 += terms(row, j + 2 * lanes, lanes)
        s3 += terms(row, j + 3 * lanes, lanes)
      }
      let out = sums + j
      store(load(out) + s0, out)
      store(load(out + lanes) + s1, out + lanes)
      store(load(out + 2 * lanes) + s2, out + 2 * lanes)
      store(load(out + 3 * lanes) + s3, out + 3 * lanes)
      j += 4 * lanes
    }
    while j + lanes <= columns {
      var s = Vector(repeating: 0)
      for row in start..<end { s += terms(row, j, lanes) }
      store(load(sums + j) + s, sums + j)
      j += lanes
    }
    if j < columns {
      let rest = columns - j
      var s = Vector(repeating: 0)
      for row in start..<end { s += terms(row, j, rest) }
      store(load(sums + j, count: rest, fill: 0) + s, sums + j, count: rest)
    }
    start = end
  }
}

func sumRows(
  _ rows: Int, _ columns: Int, _ x: UnsafePointer<Float>, _ sums: UnsafeMutablePointer<Float>
) {
  let end = x + rows * columns
  sumColumns(rows, columns, sums) { row, j, count in
    load(x + row * columns + j, count: count, fill: 0, end: end)
  }
}

/// sums[j] = the sum of (x[i][j] - means[j])^2
func sumColumnSquares(
  _ rows: Int, _ columns: Int, _ x: UnsafePointer<Float>, _ means: UnsafePointer<Float>,
  _ sums: UnsafeMutablePointer<Float>
) {
  let end = x + rows * columns
  sumColumns(rows, columns, sums) { row, j, count in
    let deviation =
      load(x + row * columns + j, count: count, fill: 0, end: end)
      - load(means + j, count: count, fill: 0, end: means + columns)
    return deviation * deviation
  }
}

/// sums[j] = the sum of dy[i][j] (x[i][j] - means[j]) scales[j]
func sumColumnProducts(
  _ rows: Int, _ columns: Int, _ x: UnsafePointer<Float>, _ dy: UnsafePointer<Float>,
  _ means: UnsafePointer<Float>, _ scales: UnsafePointer<Float>,
  _ sums: UnsafeMutablePointer<Float>
) {
  let size = rows * columns
  sumColumns(rows, columns, sums) { row, j, count in
    let deviation =
      load(x + row * columns + j, count: count, fill: 0, end: x + size)
      - load(means + j, count: count, fill: 0, end: means + columns)
    return load(dy + row * columns + j, count: count, fill: 0, end: dy + size)
      * (deviation * load(scales + j, count: count, fill: 0, end: scales + columns))
  }
}

/// sums[j] = the sum of dy[i][j] (x[i][j] - means[i]) scales[i]
func sumRowProducts(
  _ rows: Int, _ columns: Int, _ x: UnsafePointer<Float>, _ dy: UnsafePointer<Float>,
  _ means: UnsafePointer<Float>, _ scales: UnsafePointer<Float>,
  _ sums: UnsafeMutablePointer<Float>
) {
  let size = rows * columns
  sumColumns(rows, columns, sums) { row, j, count in
    let deviation =
      load(x + row * columns + j, count: count, fill: 0, end: x + size) - means[row]
    return load(dy + row * columns + j, count: count, fill: 0, end: dy + size)
      * (deviation * scales[row])
  }
}
