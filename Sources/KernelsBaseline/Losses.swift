import CKernels

// Losses of one value a column: the mean over a row's columns, and its gradient.

func lossTable() -> CLosses {
  CLosses(
    softmaxCrossEntropy: softmaxCrossEntropy, squaredError: squaredError,
    absoluteError: absoluteError, huber: huber,
    binaryCrossEntropy: binaryCrossEntropy, hinge: hinge, multiClassHinge: multiClassHinge)
}

/// What one output has to do with its target: its share of the loss, and the derivative.
private typealias Term = (loss: Vector, derivative: Vector)

/// losses[i] = the mean of `term`'s losses in row i, and dx its gradient; `dx` may be `x`. A row is
/// summed lane by lane, then over lanes.
@inline(__always)
private func evaluate(
  _ rows: Int, _ columns: Int, _ x: UnsafePointer<Float>, _ targets: UnsafePointer<Float>,
  _ losses: UnsafeMutablePointer<Float>, _ dx: UnsafeMutablePointer<Float>,
  _ term: (_ x: Vector, _ target: Vector) -> Term
) {
  let share = 1 / Float(columns)
  let shares = Vector(repeating: share)
  let (xEnd, targetsEnd) = (x + rows * columns, targets + rows * columns)
  for i in 0..<rows {
    let (row, target, out) = (x + i * columns, targets + i * columns, dx + i * columns)
    var sums = Vector(repeating: 0)
    var j = 0
    while j < columns {
      let count = columns - j < lanes ? columns - j : lanes
      let (loss, derivative) = term(
        load(row + j, count: count, fill: 0, end: xEnd),
        load(target + j, count: count, fill: 0, end: targetsEnd))
      sums += Vector(repeating: 0).replacing(with: loss, where: isLane(below: count))
      store(derivative * shares, out + j, atMost: count)
      j += lanes
    }
    losses[i] = sum(sums) * share
  }
}

private func squaredError(
  _ rows: Int, _ columns: Int, _ x: UnsafePointer<Float>, _ targets: UnsafePointer<Float>,
  _ losses: UnsafeMutablePointer<Float>, _ dx: UnsafeMutablePointer<Float>
) {
  @inline(__always)
  func term(_ x: Vector, _ target: Vector) -> Term {
    let difference = x - target
    return (difference * difference, difference + difference)
  }
  evaluate(rows, columns, x, targets, losses, dx, term)
}

private func absoluteError(
  _ rows: Int, _ columns: Int, _ x: UnsafePointer<Float>, _ targets: UnsafePointer<Float>,
  _ losses: UnsafeMutablePointer<Float>, _ dx: UnsafeMutablePointer<Float>
) {
  @inline(__always)
  func term(_ x: Vector, _ target: Vector) -> Term {
    let difference = x - target
    let sign = difference.replacing(with: 1, where: difference .> Vector(repeating: 0))
      .replacing(with: -1, where: difference .< Vector(repeating: 0))
    return (magnitude(difference), sign)
  }
  evaluate(rows, columns, x, targets, losses, dx, term)
}

private func huber(
  _ rows: Int, _ columns: Int, _ delta: Float, _ x: UnsafePointer<Float>,
  _ targets: UnsafePointer<Float>, _ losses: UnsafeMutablePointer<Float>,
  _ dx: UnsafeMutablePointer<Float>
) {
  let limit = Vector(repeating: delta)
  @inline(__always)
  func term(_ x: Vector, _ target: Vector) -> Term {
    let difference = x - target
    let distance = magnitude(difference)
    let half = Vector(repeating: 0.5)
    let near = difference * difference * half
    let far = limit * (distance - limit * half)
    let slope = difference.replacing(with: limit, where: difference .> limit)
      .replacing(with: -limit, where: difference .< -limit)
    return (near.replacing(with: far, where: distance .> limit), slope)
  }
  evaluate(rows, columns, x, targets, losses, dx, term)
}

/// With q = sigmoid(-|x|), one exponential gives both, and for targets in 0...1 no terms of
/// different signs are added: the loss is |x| (1 - t or t) - log(1 - q).
private func binaryCrossEntropy(
  _ rows: Int, _ columns: Int, _ x: UnsafePointer<Float>, _ targets: UnsafePointer<Float>,
  _ losses: UnsafeMutablePointer<Float>, _ dx: UnsafeMutablePointer<Float>
) {
  @inline(__always)
  func term(_ x: Vector, _ target: Vector) -> Term {
    let one = Vector(repeating: 1)
    let e = exponential(notPositive: -magnitude(x))
    let q = e / (one + e)
    // The part of the target on the other side than x, where 0 of either sign is positive.
    let zero = Vector(repeating: 0)
    let wrong = target.replacing(with: one - target, where: x .>= zero)
    let loss = multiplyAdd(logarithmOfOne(plus: e), magnitude(x), wrong)
    return (loss, negate(wrong - q, whereNegative: x + zero))
  }
  evaluate(rows, columns, x, targets, losses, dx, term)
}

private func hinge(
  _ rows: Int, _ columns: Int, _ x: UnsafePointer<Float>, _ targets: UnsafePointer<Float>,
  _ losses: UnsafeMutablePointer<Float>, _ dx: UnsafeMutablePointer<Float>
) {
  @inline(__always)
  func term(_ x: Vector, _ target: Vector) -> Term {
    let zero = Vector(repeating: 0)
    let margin = Vector(repeating: 1) - target * x
    let slope = margin.replacing(with: -target, where: margin .> zero)
      .replacing(with: 0, where: margin .<= zero)
    return (margin.replacing(with: 0, where: margin .< zero), slope)
  }
  evaluate(rows, columns, x, targets, losses, dx, term)
}

/// losses[i] = the sum of max(0, 1 + x[j] - x[label]) over the other columns, by `columns`.
private func multiClassHinge(
  _ rows: Int, _ columns: Int, _ x: UnsafePointer<Float>, _ labels: UnsafePointer<Int32>,
  _ losses: UnsafeMutablePointer<Float>, _ dx: UnsafeMutablePointer<Float>
) {
  let share = 1 / Float(columns)
  let shares = Vector(repeating: share)
  let (zero, end) = (Vector(repeating: 0), x + rows * columns)
  for i in 0..<rows {
    let (row, out, label) = (x + i * columns, dx + i * columns, Int(labels[i]))
    let score = Vector(repeating: row[label])
    var (lossSums, counts) = (zero, zero)
    var j = 0
    while j < columns {
      let count = columns - j < lanes ? columns - j : lanes
      let isOther =
        isLane(below: count)
        .& (laneNumbers .!= IntVector(repeating: Int32(truncatingIfNeeded: label - j)))
      let margin = load(row + j, count: count, fill: 0, end: end) - score + Vector(repeating: 1)
      let loss = margin.replacing(with: 0, where: margin .< zero)
      let isWrong = margin.replacing(with: 1, where: margin .> zero)
        .replacing(with: 0, where: margin .<= zero)
      lossSums += zero.replacing(with: loss, where: isOther)
      let slope = zero.replacing(with: isWrong, where: isOther)
      counts += slope
      store(slope * shares, out + j, atMost: count)
      j += lanes
    }
    losses[i] = sum(lossSums) * share
    out[label] = -sum(counts) * share
  }
}
