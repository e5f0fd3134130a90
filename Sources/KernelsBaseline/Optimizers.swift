import CKernels

// Optimizers whose update of an element depends on that element only: one pass over memory.

func descend(
  _ count: Int, _ terms: CGradientTerms, _ rate: Float, _ gradients: UnsafePointer<Float>,
  _ parameters: UnsafeMutablePointer<Float>
) {
  @_transparent func update(_ i: Int, _ valid: Int) {
    let w = load(parameters + i, valid)
    let g = gradient(terms, load(gradients + i, valid), w)
    store(w - rate * g, parameters + i, count: valid)
  }
  forEachVector(count, update)
}

func descendWithMomentum(
  _ count: Int, _ terms: CGradientTerms, _ rate: Float, _ momentum: Float, _ nesterov: Bool,
  _ gradients: UnsafePointer<Float>, _ velocity: UnsafeMutablePointer<Float>,
  _ parameters: UnsafeMutablePointer<Float>
) {
  @_transparent func update(_ i: Int, _ valid: Int) {
    let w = load(parameters + i, valid)
    let g = gradient(terms, load(gradients + i, valid), w)
    let v = momentum * load(velocity + i, valid) + g
    store(v, velocity + i, count: valid)
    store(w - rate * (nesterov ? g + momentum * v : v), parameters + i, count: valid)
  }
  forEachVector(count, update)
}

func adam(
  _ count: Int, _ terms: CGradientTerms, _ moments: CMoments, _ rate: Float,
  _ gradients: UnsafePointer<Float>, _ first: UnsafeMutablePointer<Float>,
  _ second: UnsafeMutablePointer<Float>, _ parameters: UnsafeMutablePointer<Float>
) {
  @_transparent func update(_ i: Int, _ valid: Int) {
    let w = load(parameters + i, valid)
    let g = gradient(terms, load(gradients + i, valid), w)
    let (m, v) = average(moments, g, first + i, second + i, valid)
    store(w - rate * direction(moments, m, v, w), parameters + i, count: valid)
  }
  forEachVector(count, update)
}

/// Takes a gradient into the averages of Adam and LAMB, and returns these.
@inline(__always)
func average(
  _ moments: CMoments, _ g: Vector, _ first: UnsafeMutablePointer<Float>,
  _ second: UnsafeMutablePointer<Float>, _ valid: Int
) -> (m: Vector, v: Vector) {
  let m = moments.keep1 * load(first, valid) + moments.take1 * g
  let v = moments.keep2 * load(second, valid) + moments.take2 * (g * g)
  store(m, first, count: valid)
  store(v, second, count: valid)
  return (m, v)
}

/// Where Adam and LAMB go, before the rate.
@inline(__always)
func direction(_ moments: CMoments, _ m: Vector, _ v: Vector, _ w: Vector) -> Vector {
  let root = moments.correction2 * v.squareRoot() + moments.epsilon
  return moments.correction1 * m / root + moments.weightDecay * w
}

func adagrad(
  _ count: Int, _ terms: CGradientTerms, _ epsilon: Float, _ rate: Float,
  _ gradients: UnsafePointer<Float>, _ squares: UnsafeMutablePointer<Float>,
  _ parameters: UnsafeMutablePointer<Float>
) {
  @_transparent func update(_ i: Int, _ valid: Int) {
    let w = load(parameters + i, valid)
    let g = gradient(terms, load(gradients + i, valid), w)
    let s = load(squares + i, valid) + g * g
    store(s, squares + i, count: valid)
    store(w - rate * g / (s.squareRoot() + epsilon), parameters + i, count: valid)
  }
  forEachVector(count, update)
}

func rmsprop(
  _ count: Int, _ terms: CGradientTerms, _ average: CSquareAverage, _ momentum: Float,
  _ rate: Float, _ gradients: UnsafePointer<Float>, _ squares: UnsafeMutablePointer<Float>,
  _ averages: UnsafeMutablePointer<Float>?, _ velocity: UnsafeMutablePointer<Float>?,
  _ parameters: UnsafeMutablePointer<Float>
) {
  @_transparent func update(_ i: Int, _ valid: Int) {
    let w = load(parameters + i, valid)
    let g = gradient(terms, load(gradients + i, valid), w)
    var s = average.keep * load(squares + i, valid) + average.take * (g * g)
    store(s, squares + i, count: valid)
    if let averages {
      let a = average.keep * load(averages + i, valid) + average.take * g
      store(a, averages + i, count: valid)
      // A variance; rounding must not make it negative. NaN stays NaN.
      s -= a * a
      s = s.replacing(with: 0, where: s .< Vector(repeating: 0))
    }
    var u = g / (s.squareRoot() + average.epsilon)
    if let velocity {
      u += momentum * load(velocity + i, valid)
      store(u, velocity + i, count: valid)
    }
    store(w - rate * u, parameters + i, count: valid)
  }
  forEachVector(count, update)
}
