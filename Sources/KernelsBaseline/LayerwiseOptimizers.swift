import CKernels

// Optimizers that scale the step of each tensor by norms: a pass that sums, and one that updates.

func sumOfSquares(_ count: Int, _ x: UnsafePointer<Float>) -> Double {
  var sums = WideVector()
  @_transparent func add(_ i: Int, _ valid: Int) {
    sums = addSquares(load(x + i, valid), to: sums)
  }
  forEachVector(count, add)
  return total(sums)
}

func larsNorms(
  _ count: Int, _ terms: CGradientTerms, _ gradients: UnsafePointer<Float>,
  _ parameters: UnsafePointer<Float>, _ sums: UnsafeMutablePointer<Double>
) {
  var (weightSums, gradientSums) = (WideVector(), WideVector())
  @_transparent func add(_ i: Int, _ valid: Int) {
    let w = load(parameters + i, valid)
    weightSums = addSquares(w, to: weightSums)
    gradientSums = addSquares(
      gradient(terms, load(gradients + i, valid), w), to: gradientSums)
  }
  forEachVector(count, add)
  sums[0] = total(weightSums)
  sums[1] = total(gradientSums)
}

func lars(
  _ count: Int, _ terms: CGradientTerms, _ rate: Float, _ momentum: Float,
  _ gradients: UnsafePointer<Float>, _ velocity: UnsafeMutablePointer<Float>,
  _ parameters: UnsafeMutablePointer<Float>
) {
  @_transparent func update(_ i: Int, _ valid: Int) {
    let w = load(parameters + i, valid)
    let g = gradient(terms, load(gradients + i, valid), w)
    let v = momentum * load(velocity + i, valid) + rate * g
    store(v, velocity + i, count: valid)
    store(w - v, parameters + i, count: valid)
  }
  forEachVector(count, update)
}

func lambNorms(
  _ count: Int, _ terms: CGradientTerms, _ moments: CMoments,
  _ gradients: UnsafePointer<Float>, _ first: UnsafeMutablePointer<Float>,
  _ second: UnsafeMutablePointer<Float>, _ parameters: UnsafePointer<Float>,
  _ sums: UnsafeMutablePointer<Double>
) {
  var (weightSums, directionSums) = (WideVector(), WideVector())
  @_transparent func update(_ i: Int, _ valid: Int) {
    let w = load(parameters + i, valid)
    let g = gradient(terms, load(gradients + i, valid), w)
    let (m, v) = average(moments, g, first + i, second + i, valid)
    weightSums = addSquares(w, to: weightSums)
    directionSums = addSquares(direction(moments, m, v, w), to: directionSums)
  }
  forEachVector(count, update)
  sums[0] = total(weightSums)
  sums[1] = total(directionSums)
}

func lamb(
  _ count: Int, _ moments: CMoments, _ rate: Float, _ first: UnsafePointer<Float>,
  _ second: UnsafePointer<Float>, _ parameters: UnsafeMutablePointer<Float>
) {
  @_transparent func update(_ i: Int, _ valid: Int) {
    let w = load(parameters + i, valid)
    let u = direction(moments, load(first + i, valid), load(second + i, valid), w)
    store(w - rate * u, parameters + i, count: valid)
  }
  forEachVector(count, update)
}
