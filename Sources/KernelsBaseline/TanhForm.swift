// GELU by its approximation with tanh: x (1 + tanh u) / 2 with u = sqrt(2 / pi) (x + 0.044715 x^3),
// which is x / (1 + e^-2u).

/// e^-u of |x|, clamped to 14, from where on its square is 0.
///
/// u reaches 44 where the result is a normal number, and an exponential has the error of its exponent:
/// u has to be known to more than a Float's precision. It is k (t^3 + c t), in which t and the constants
/// are split so that the products of their upper parts are exact.
@_transparent
private func tanhFormExponential(_ x: Vector) -> Vector {
  let t = magnitude(x).replacing(with: 14, where: magnitude(x) .> Vector(repeating: 14))
  // Rounded to 8 bits: its cube has 24.
  let upper = unsafeBitCast(
    (unsafeBitCast(t, to: IntVector.self) &+ 0x8000) & IntVector(repeating: -65536),
    to: Vector.self)
  let lower = t - upper
  let cube = upper * upper * upper
  // c to 16 bits; the rest of it is behind.
  let line = Vector(repeating: 0x1.65d2p4) * upper
  let rest = multiplyAdd(
    Vector(repeating: 9.047_098_6e-5) * upper, lower,
    multiplyAdd(multiplyAdd(Vector(repeating: 22.363_86), upper, upper), t, t + upper))
  // cube + line + rest, and what rounding takes away from it (Knuth's two-sum, Dekker's).
  let sum = cube + line
  let part = sum - cube
  let lost = (cube - (sum - part)) + (line - part)
  let whole = sum + rest
  let main = unsafeBitCast(
    unsafeBitCast(whole, to: IntVector.self) & IntVector(repeating: -4096), to: Vector.self)
  let correction = (whole - main) + ((sum - whole) + rest) + lost
  // k to 12 bits, and the rest of it.
  return exponential(
    notPositive: Vector(repeating: -0x1.244p-5) * main,
    correction: multiplyAdd(
      Vector(repeating: -2.359_308e-6) * main, Vector(repeating: -0.035_677_408), correction))
}

/// GELU by tanh, to 5 ulp; -0 for -infinity.
@_transparent
func geluTanh(_ x: Vector) -> Vector {
  let root = tanhFormExponential(x)
  // Root by root: x times the first is a normal number where e^-2u is not.
  let least = x.replacing(with: -14, where: x .< Vector(repeating: -14))
  let numerator = x.replacing(with: least * root * root, where: x .< Vector(repeating: 0))
  return numerator / multiplyAdd(Vector(repeating: 1), root, root)
}

/// The derivative of GELU by tanh: p + x p (1 - p) 2u', p = 1 / (1 + e^-2u).
@_transparent
func geluTanhDerivative(_ x: Vector) -> Vector {
  let root = tanhFormExponential(x)
  let e = root * root
  let one = Vector(repeating: 1)
  let more = one / (one + e)
  let less = e * more
  let probability = more.replacing(with: less, where: x .< Vector(repeating: 0))
  // p (1 - p) is 0 from 11 on, and infinity times 0 would be NaN.
  let nearest = x.replacing(with: 14, where: x .> Vector(repeating: 14))
    .replacing(with: -14, where: x .< Vector(repeating: -14))
  let slope = multiplyAdd(
    Vector(repeating: 1.595_769_1), nearest * nearest, Vector(repeating: 0.214_064_45))
  return multiplyAdd(probability, nearest * slope, more * less)
}
