/// The largest element of a row, NaN ignored; -infinity for an empty row.
@inline(__always)
private func maximum(
  _ count: Int, _ x: UnsafePointer<Float>, end: UnsafePointer<Float>
) -> Float {
  var top = Vector(repeating: -.infinity)
  var j = 0
  while j + lanes <= count {
    let v = load(x + j)
    top = top.replacing(with: v, where: v .> top)
    j += lanes
  }
  if j < count {
    let v = load(x + j, count: count - j, fill: -.infinity, end: end)
    top = top.replacing(with: v, where: v .> top)
  }
  return largest(top)
}

/// y = exp(x - shift), x <= shift; returns the sum of y.
@inline(__always)
private func exponentials(
  _ count: Int, _ x: UnsafePointer<Float>, _ shift: Float, _ y: UnsafeMutablePointer<Float>
) -> Float {
  @inline(__always)
  func term(_ x: Vector) -> Vector { exponential(notPositive: x - Vector(repeating: shift)) }
  map(count, x, y, term)
  return sum(count) { j, count in load(y + j, atMost: count) }
}

func softmax(
  _ rows: Int, _ columns: Int, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>
) {
  let end = x + rows * columns
  for i in 0..<rows {
    let row = x + i * columns
    let out = y + i * columns
    let shift = maximum(columns, row, end: end)
    let factor = 1 / exponentials(columns, row, shift, out)
    for j in 0..<columns { out[j] *= factor }
  }
}

/// dx = y (dy - the row's sum of y dy)
func softmaxGradient(
  _ rows: Int, _ columns: Int, _ y: UnsafePointer<Float>, _ dy: UnsafePointer<Float>,
  _ dx: UnsafeMutablePointer<Float>
) {
  let size = rows * columns
  for i in 0..<rows {
    let start = i * columns
    let mean = sum(columns) { j, count in
      load(y + start + j, count: count, fill: 0, end: y + size)
        * load(dy + start + j, count: count, fill: 0, end: dy + size)
    }
    @inline(__always)
    func gradient(_ y: Vector, _ dy: Vector) -> Vector { y * (dy - Vector(repeating: mean)) }
    map(columns, y + start, dy + start, dx + start, gradient)
  }
}

func softmaxCrossEntropy(
  _ rows: Int, _ columns: Int, _ x: UnsafePointer<Float>, _ labels: UnsafePointer<Int32>,
  _ smoothing: Float, _ losses: UnsafeMutablePointer<Float>, _ dx: UnsafeMutablePointer<Float>
) {
  let end = x + rows * columns
  let share = smoothing / Float(columns)
  for i in 0..<rows {
    let row = x + i * columns
    let out = dx + i * columns
    let label = Int(labels[i])
    let shift = maximum(columns, row, end: end)
    // What is needed of the row is read before `out`, which may be the same row, is written.
    var score = row[label] - shift
    if smoothing > 0 {
      let scores = sum(columns) { j, count in
        load(row + j, count: count, fill: shift, end: end) - shift
      }
      score = (1 - smoothing) * score + share * scores
    }
    let total = exponentials(columns, row, shift, out)
    losses[i] = logarithm(Vector(repeating: total))[0] - score
    let factor = 1 / total
    for j in 0..<columns { out[j] = out[j] * factor - share }
    out[label] -= 1 - smoothing
  }
}
