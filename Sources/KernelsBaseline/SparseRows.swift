import CKernels

func sparseTable() -> CSparse { CSparse(sumScaledRows: sumScaledRows) }

/// sums = the sum of values[k] times row indices[k], in the order of k. The row of a sparse matrix
/// times a dense one; the columns of the transposed one alike.
private func sumScaledRows(
  _ count: Int, _ columns: Int, _ indices: UnsafePointer<Int32>, _ values: UnsafePointer<Float>,
  _ rows: UnsafePointer<Float>, _ sums: UnsafeMutablePointer<Float>
) {
  var j = 0
  // Sums stay in registers while the rows pass by, four vectors at a time.
  while j + 4 * lanes <= columns {
    var (s0, s1, s2, s3) = (
      Vector(repeating: 0), Vector(repeating: 0), Vector(repeating: 0), Vector(repeating: 0)
    )
    for k in 0..<count {
      let row = rows + Int(indices[k]) * columns + j
      let value = Vector(repeating: values[k])
      s0 = multiplyAdd(s0, value, load(row))
      s1 = multiplyAdd(s1, value, load(row + lanes))
      s2 = multiplyAdd(s2, value, load(row + 2 * lanes))
      s3 = multiplyAdd(s3, value, load(row + 3 * lanes))
    }
    store(s0, sums + j)
    store(s1, sums + j + lanes)
    store(s2, sums + j + 2 * lanes)
    store(s3, sums + j + 3 * lanes)
    j += 4 * lanes
  }
  while j < columns {
    let width = columns - j < lanes ? columns - j : lanes
    var s = Vector(repeating: 0)
    for k in 0..<count {
      let row = rows + Int(indices[k]) * columns + j
      s = multiplyAdd(s, Vector(repeating: values[k]), load(row, count: width, fill: 0))
    }
    store(s, sums + j, count: width)
    j += lanes
  }
}
