import CKernels

/// A product of one row. The right operand is read once, row after row, as it lies in memory: its
/// transfer is what takes the time. Sums wait in the result, and take `step` terms on one visit.
func multiplyRow(_ product: UnsafePointer<CProduct>) {
  let p = product.pointee
  let whole = p.columns / lanes * lanes
  // The last columns make a vector of their own, which overlaps the one before: its sums are the
  // same, since each is a chain of its own.
  let edge = p.columns - lanes
  var last = Vector(repeating: 0)
  if let start = p.start {
    last = load(start + edge)
    for j in stride(from: 0, to: whole, by: lanes) { store(load(start + j), p.result + j) }
  } else {
    for j in stride(from: 0, to: whole, by: lanes) { store(Vector(repeating: 0), p.result + j) }
  }
  let step = 8
  // Sums of a block of columns stay in the first-level cache.
  let block = 2048
  var column = 0
  while column < whole {
    let end = min(column + block, whole)
    var d = 0
    while d + step <= p.depth {
      addRows(step, p, d, column..<end)
      d += step
    }
    while d < p.depth {
      addRows(1, p, d, column..<end)
      d += 1
    }
    column = end
  }
  if whole < p.columns {
    for d in 0..<p.depth {
      last = multiplyAdd(
        last, Vector(repeating: p.left[d]), load(p.right + d * p.rightStride + edge))
    }
  }
  // Raw values: the comparison of enumerations of C is a weak function.
  if p.finish.rawValue == CFinishReLU.rawValue {
    for j in stride(from: 0, to: whole, by: lanes) {
      store(positivePart(load(p.result + j)), p.result + j)
    }
    last = positivePart(last)
  } else if let mask = p.mask {
    for j in stride(from: 0, to: whole, by: lanes) {
      store(masked(load(p.result + j), by: load(mask + j)), p.result + j)
    }
    last = masked(last, by: load(mask + edge))
  }
  if whole < p.columns { store(last, p.result + edge) }
}

/// Adds the terms of `count` (a constant) elements of the row, from the `d`-th on, to the sums of
/// `columns`.
@inline(__always)
private func addRows(_ count: Int, _ p: CProduct, _ d: Int, _ columns: Range<Int>) {
  let left = p.left + d
  let right = p.right + d * p.rightStride
  for j in stride(from: columns.lowerBound, to: columns.upperBound, by: lanes) {
    var sum = load(p.result + j)
    for s in 0..<count {
      sum = multiplyAdd(sum, Vector(repeating: left[s]), load(right + s * p.rightStride + j))
    }
    store(sum, p.result + j)
  }
}
