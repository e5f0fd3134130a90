/// The largest element of a row, NaN ignored; -infinity for an empty row.
@inline(__always)
private func maximum(_ count: Int, _ x: UnsafePointer<Float>) -> Float {
  var m = -Float.infinity
  for j in 0..<count where x[j] > m { m = x[j] }
  return m
}

/// y = exp(x - shift); returns the sum of y: lane by lane, then over lanes, an order that depends
/// on `count` only.
@inline(__always)
private func exponentials(
  _ count: Int, _ x: UnsafePointer<Float>, _ shift: Float, _ y: UnsafeMutablePointer<Float>
) -> Float {
  let shifts = Vector(repeating: shift)
  var sums = Vector(repeating: 0)
  var j = 0
  while j + lanes <= count {
    let e = exponential(load(x + j) - shifts)
    sums += e
    store(e, y + j)
    j += lanes
  }
  if j < count {
    let e = exponential(load(x + j, count: count - j, fill: -.infinity) - shifts)
    sums += e
    store(e, y + j, count: count - j)
  }
  var total: Float = 0
  for lane in 0..<lanes { total += sums[lane] }
  return total
}

func softmax(
  _ rows: Int, _ columns: Int, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>
) {
  for i in 0..<rows {
    let row = x + i * columns
    let out = y + i * columns
    let factor = 1 / exponentials(columns, row, maximum(columns, row), out)
    for j in 0..<columns { out[j] *= factor }
  }
}

func softmaxCrossEntropy(
  _ rows: Int, _ columns: Int, _ x: UnsafePointer<Float>, _ labels: UnsafePointer<Int32>,
  _ losses: UnsafeMutablePointer<Float>, _ dx: UnsafeMutablePointer<Float>
) {
  for i in 0..<rows {
    let row = x + i * columns
    let out = dx + i * columns
    let label = Int(labels[i])
    let shift = maximum(columns, row)
    let score = row[label]  // read before `out`, which may be the same row, is written
    let sum = exponentials(columns, row, shift, out)
    losses[i] = logarithm(Vector(repeating: sum))[0] - (score - shift)
    let factor = 1 / sum
    for j in 0..<columns { out[j] *= factor }
    out[label] -= 1
  }
}
