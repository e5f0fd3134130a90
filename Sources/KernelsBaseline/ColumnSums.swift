// Sums down the columns of a matrix: of biases' gradients, and for normalization.

/// Rows are added in blocks of so many, then the blocks: the error grows with a block and with the
/// number of blocks, not with the number of rows.
private let blockRows = 128

/// What the terms of a vector of columns have in common.
private typealias Parameters = (Vector, Vector)

/// sums[j] = the sum of column j's terms, in blocks of rows from the first to the last.
///
/// - Parameters:
///   - parameters: what belongs to the columns from `j`, of which there are `count`.
///   - terms: the terms of `row` from column `j`, of which the first `count` are counted.
@inline(__always)
private func sumColumns(
  _ rows: Int, _ columns: Int, _ sums: UnsafeMutablePointer<Float>,
  _ parameters: (_ j: Int, _ count: Int) -> Parameters,
  _ terms: (_ row: Int, _ j: Int, _ count: Int, _ parameters: Parameters) -> Vector
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
      let (p0, p1) = (parameters(j, lanes), parameters(j + lanes, lanes))
      let (p2, p3) = (parameters(j + 2 * lanes, lanes), parameters(j + 3 * lanes, lanes))
      for row in start..<end {
        s0 += terms(row, j, lanes, p0)
        s1 += terms(row, j + lanes, lanes, p1)
        s2 += terms(row, j + 2 * lanes, lanes, p2)
        s3 += terms(row, j + 3 * lanes, lanes, p3)
      }
      let out = sums + j
      store(load(out) + s0, out)
      store(load(out + lanes) + s1, out + lanes)
      store(load(out + 2 * lanes) + s2, out + 2 * lanes)
      store(load(out + 3 * lanes) + s3, out + 3 * lanes)
      j += 4 * lanes
    }
    while j < columns {
      let count = columns - j < lanes ? columns - j : lanes
      let p = parameters(j, count)
      var s = Vector(repeating: 0)
      for row in start..<end { s += terms(row, j, count, p) }
      store(load(sums + j, atMost: count) + s, sums + j, atMost: count)
      j += lanes
    }
    start = end
  }
}

func sumRows(
  _ rows: Int, _ columns: Int, _ x: UnsafePointer<Float>, _ sums: UnsafeMutablePointer<Float>
) {
  guard columns <= foldedColumns && rows >= 8 * foldedRows else {
    sumRowsApart(rows, columns, x, sums)
    return
  }
  // Few columns would fill a vector in part, and wait for it: rows side by side are one long row.
  var partial = InlineArray<512, Float>(repeating: 0)
  withUnsafeMutableBytes(of: &partial) { bytes in
    let partial = bytes.baseAddress!.assumingMemoryBound(to: Float.self)
    let long = rows / foldedRows
    sumRowsApart(long, foldedRows * columns, x, partial)
    let rest = long * foldedRows
    sumRowsApart(rows - rest, columns, x + rest * columns, sums)
    for row in 0..<foldedRows {
      for j in 0..<columns { sums[j] += partial[row * columns + j] }
    }
  }
}

/// Rows that are summed side by side where they have few columns: `sumRows` makes room for the
/// product of these.
private let foldedRows = 32
private let foldedColumns = 16

@inline(__always)
private func sumRowsApart(
  _ rows: Int, _ columns: Int, _ x: UnsafePointer<Float>, _ sums: UnsafeMutablePointer<Float>
) {
  let end = x + rows * columns
  let none = Vector(repeating: 0)
  sumColumns(rows, columns, sums) { _, _ in
    (none, none)
  } _: { row, j, count, _ in
    load(x + row * columns + j, count: count, fill: 0, end: end)
  }
}

/// sums[j] = the sum of (x[i][j] - means[j])^2
func sumColumnSquares(
  _ rows: Int, _ columns: Int, _ x: UnsafePointer<Float>, _ means: UnsafePointer<Float>,
  _ sums: UnsafeMutablePointer<Float>
) {
  let end = x + rows * columns
  sumColumns(rows, columns, sums) { j, count in
    (load(means + j, atMost: count), Vector(repeating: 0))
  } _: { row, j, count, parameters in
    let deviation = load(x + row * columns + j, count: count, fill: 0, end: end) - parameters.0
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
  sumColumns(rows, columns, sums) { j, count in
    (load(means + j, atMost: count), load(scales + j, atMost: count))
  } _: { row, j, count, parameters in
    let at = row * columns + j
    let deviation = load(x + at, count: count, fill: 0, end: x + size) - parameters.0
    return load(dy + at, count: count, fill: 0, end: dy + size) * (deviation * parameters.1)
  }
}

/// sums[j] = the sum of dy[i][j] (x[i][j] - means[i]) scales[i]
func sumRowProducts(
  _ rows: Int, _ columns: Int, _ x: UnsafePointer<Float>, _ dy: UnsafePointer<Float>,
  _ means: UnsafePointer<Float>, _ scales: UnsafePointer<Float>,
  _ sums: UnsafeMutablePointer<Float>
) {
  let size = rows * columns
  let none = Vector(repeating: 0)
  sumColumns(rows, columns, sums) { _, _ in
    (none, none)
  } _: { row, j, count, _ in
    let at = row * columns + j
    let deviation = load(x + at, count: count, fill: 0, end: x + size) - means[row]
    return load(dy + at, count: count, fill: 0, end: dy + size) * (deviation * scales[row])
  }
}
