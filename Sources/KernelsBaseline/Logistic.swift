// The logistic function and its relatives, by e^-|x|, which does not overflow.

/// log(1 + t) to 1.5 ulp for t in 0...1; NaN for NaN.
///
/// With s = t / (2 + t), it is 2 artanh s = 2 s + s^3 P(s^2): nothing cancels. P is a minimax fit,
/// off by 2^-27.7 of the result.
@_transparent
func logarithmOfOne(plus t: Vector) -> Vector {
  let s = t / (t + Vector(repeating: 2))
  let square = s * s
  var p = Vector(repeating: 0.280_119_87)
  p = multiplyAdd(Vector(repeating: 0.280_018_06), p, square)
  p = multiplyAdd(Vector(repeating: 0.400_215_27), p, square)
  p = multiplyAdd(Vector(repeating: 0.666_664_2), p, square)
  return multiplyAdd(s + s, p * square, s)
}

/// 1 / (1 + e^-x) to 2.5 ulp; 0 below -87.3, 1 for infinity, NaN for NaN.
@_transparent
func logistic(_ x: Vector) -> Vector {
  let e = exponential(notPositive: -magnitude(x))
  let numerator = e.replacing(with: 1, where: x .>= Vector(repeating: 0))
  return numerator / (Vector(repeating: 1) + e)
}

/// log(1 + e^x) to 3 ulp; 0 below -87.3, infinity for infinity, NaN for NaN.
@_transparent
func softplus(_ x: Vector) -> Vector {
  let positive = x.replacing(with: 0, where: x .< Vector(repeating: 0))
  return positive + logarithmOfOne(plus: exponential(notPositive: -magnitude(x)))
}

/// tanh x to 1.5 ulp; -1 and 1 for infinities, NaN for NaN, -0 for -0.
@_transparent
func hyperbolicTangent(_ x: Vector) -> Vector {
  let t = magnitude(x)
  // Near 0: t + t^3 P(t^2), a minimax fit, off by 2^-29.8 of the result.
  let square = t * t
  var p = Vector(repeating: -0.006_274_239_6)
  p = multiplyAdd(Vector(repeating: 0.021_071_68), p, square)
  p = multiplyAdd(Vector(repeating: -0.053_852_31), p, square)
  p = multiplyAdd(Vector(repeating: 0.133_325_86), p, square)
  p = multiplyAdd(Vector(repeating: -0.333_333_16), p, square)
  let near = multiplyAdd(t, p * square, t)
  // Elsewhere: 1 - 2 / (e^2t + 1)
  let one = Vector(repeating: 1)
  let far = one - Vector(repeating: 2) / (exponential(t + t) + one)
  return negate(near.replacing(with: far, where: t .> Vector(repeating: 0.55)), whereNegative: x)
}
