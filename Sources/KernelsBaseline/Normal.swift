// The normal distribution: its tail, the error function, and GELU.

/// e^(-t^2 / 2), which is 0 from 13.2 on, and its ratio to the probability of a value above t: both
/// are good to a few ulp, even where the probability is small.
/// - Precondition: 1 <= t <= 14, or NaN. (The exponential is good from 0 on.)
@_transparent
private func normalTail(_ t: Vector) -> (exponential: Vector, ratio: Vector) {
  // The exponent to more than a Float's precision: the upper half of t has an exact square.
  let upper = unsafeBitCast(
    unsafeBitCast(t, to: IntVector.self) & IntVector(repeating: -4096), to: Vector.self)
  let half = Vector(repeating: -0.5)
  let e = exponential(
    notPositive: half * upper * upper, correction: half * (t - upper) * (t + upper))
  // The ratio is u P(u) with u = 1 / (2 + t). P is a minimax fit for t in 1...13.3, off by 2^-28.7
  // of the result; its terms are hardly cancelled.
  let u = Vector(repeating: 1) / (Vector(repeating: 2) + t)
  var p = Vector(repeating: 117.822_044)
  p = multiplyAdd(Vector(repeating: -178.657_67), p, u)
  p = multiplyAdd(Vector(repeating: 79.276_01), p, u)
  p = multiplyAdd(Vector(repeating: 10.839_272), p, u)
  p = multiplyAdd(Vector(repeating: -15.106_918), p, u)
  p = multiplyAdd(Vector(repeating: -0.396_470_2), p, u)
  p = multiplyAdd(Vector(repeating: 0.616_697_25), p, u)
  p = multiplyAdd(Vector(repeating: 1.208_879_6), p, u)
  p = multiplyAdd(Vector(repeating: 0.797_445_5), p, u)
  p = multiplyAdd(Vector(repeating: 0.398_949_03), p, u)
  return (e, p * u)
}

/// The probability of a value below x, for x in -1...1: 1/2 + x P(x^2). P is a minimax fit, off by
/// 2^-32.8.
@_transparent
private func normalCenter(_ x: Vector) -> Vector {
  let square = x * x
  var p = Vector(repeating: -7.530_306_4e-6)
  p = multiplyAdd(Vector(repeating: 0.000_113_143_65), p, square)
  p = multiplyAdd(Vector(repeating: -0.001_185_984_7), p, square)
  p = multiplyAdd(Vector(repeating: 0.009_973_171), p, square)
  p = multiplyAdd(Vector(repeating: -0.066_490_33), p, square)
  p = multiplyAdd(Vector(repeating: 0.398_942_3), p, square)
  return multiplyAdd(Vector(repeating: 0.5), p, x)
}

@_transparent
private func clamp(_ x: Vector) -> Vector {
  x.replacing(with: 14, where: x .> Vector(repeating: 14))
    .replacing(with: -14, where: x .< Vector(repeating: -14))
}

/// erf x to 1.5 ulp; -1 and 1 for infinities, NaN for NaN, -0 for -0.
@_transparent
func errorFunction(_ x: Vector) -> Vector {
  // Near 0: x + x P(x^2), a minimax fit, off by 2^-29.6 of the result.
  let square = x * x
  var p = Vector(repeating: 7.853_858e-5)
  p = multiplyAdd(Vector(repeating: -0.000_801_019_25), p, square)
  p = multiplyAdd(Vector(repeating: 0.005_188_327_7), p, square)
  p = multiplyAdd(Vector(repeating: -0.026_853_811), p, square)
  p = multiplyAdd(Vector(repeating: 0.112_835_854), p, square)
  p = multiplyAdd(Vector(repeating: -0.376_126_26), p, square)
  p = multiplyAdd(Vector(repeating: 0.128_379_167), p, square)
  let near = multiplyAdd(x, p, x)
  // Elsewhere: twice a tail's probability less than 1.
  let t = clamp(magnitude(x) * Vector(repeating: 1.414_213_56))
  let (e, ratio) = normalTail(t)
  let tail = e * ratio
  let far = negate(Vector(repeating: 1) - (tail + tail), whereNegative: x)
  return near.replacing(with: far, where: magnitude(x) .> Vector(repeating: 1))
}

/// x times the probability of a normally distributed value below x; -0 for -infinity.
@_transparent
func gelu(_ x: Vector) -> Vector {
  let nearest = clamp(x)
  let t = magnitude(nearest)
  let (e, ratio) = normalTail(t)
  let above = x * (Vector(repeating: 1) - e * ratio)
  // x e is a normal number where the probability itself is not.
  let below = nearest * e * ratio
  return above.replacing(with: below, where: x .< Vector(repeating: 0))
    .replacing(with: x * normalCenter(x), where: t .< Vector(repeating: 1))
}

/// The derivative of GELU: the probability below x, and x times its density.
@_transparent
func geluDerivative(_ x: Vector) -> Vector {
  let nearest = clamp(x)
  let t = magnitude(nearest)
  let (e, ratio) = normalTail(t)
  let tail = e * ratio
  let probability = (Vector(repeating: 1) - tail)
    .replacing(with: tail, where: x .< Vector(repeating: 0))
    .replacing(with: normalCenter(x), where: t .< Vector(repeating: 1))
  return multiplyAdd(probability, nearest, e * Vector(repeating: 0.398_942_28))
}
