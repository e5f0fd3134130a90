// Exponential and logarithm as polynomials: the same bits on every machine that runs this kernel
// set, which the C library's functions do not promise. Coefficients are those of Cephes' expf and
// logf (S. Moshier, netlib).

/// 1.5 * 2^23: added to a number below 2^22, it leaves the nearest integer in the low mantissa
/// bits.
private let roundingShift: Float = 12_582_912

/// Where the exponential begins to be a normal number, and where it ends to be a finite one. Beyond
/// these, what is computed has no meaning and is replaced.
private let smallestExponent: Float = -87.336_54
private let largestExponent: Float = 88.722_83

/// e^x to 1.1 ulp; 0 below -87.3 (no subnormal results), infinity above 88.7, NaN for NaN.
@_transparent
func exponential(_ x: Vector) -> Vector {
  exponential(notPositive: x)
    .replacing(with: .infinity, where: x .> Vector(repeating: largestExponent))
}

/// e^x to 1.1 ulp for x <= 0; 0 below -87.3 (no subnormal results), NaN for NaN.
@_transparent
func exponential(notPositive x: Vector) -> Vector {
  let shifted = exponentOfTwo(x)
  return power(shifted, remainder(x, shifted))
    .replacing(with: 0, where: x .< Vector(repeating: smallestExponent))
}

/// e^(x + correction), for an exponent that is known to more than a Float's precision.
/// - Precondition: x <= 0, and the correction is small beside x.
@_transparent
func exponential(notPositive x: Vector, correction: Vector) -> Vector {
  let shifted = exponentOfTwo(x + correction)
  return power(shifted, remainder(x, shifted) + correction)
    .replacing(with: 0, where: x .< Vector(repeating: smallestExponent))
}

/// The integer nearest to x / log 2, in the low mantissa bits.
@_transparent
private func exponentOfTwo(_ x: Vector) -> Vector {
  multiplyAdd(Vector(repeating: roundingShift), x, Vector(repeating: 1.442_695_04))
}

/// r of x = n log 2 + r: |r| <= log(2) / 2. log 2 comes in two parts, so that n log 2 is exact.
@_transparent
private func remainder(_ x: Vector, _ shifted: Vector) -> Vector {
  let n = shifted - Vector(repeating: roundingShift)
  let r = multiplyAdd(x, n, Vector(repeating: -0.693_359_375))
  return multiplyAdd(r, n, Vector(repeating: 2.121_944_4e-4))
}

/// 2^n e^r
@_transparent
private func power(_ shifted: Vector, _ r: Vector) -> Vector {
  var p = Vector(repeating: 1.987_569_2e-4)
  p = multiplyAdd(Vector(repeating: 1.398_199_9e-3), p, r)
  p = multiplyAdd(Vector(repeating: 8.333_452e-3), p, r)
  p = multiplyAdd(Vector(repeating: 4.166_579_6e-2), p, r)
  p = multiplyAdd(Vector(repeating: 1.666_666_5e-1), p, r)
  p = multiplyAdd(Vector(repeating: 5e-1), p, r)
  let y = multiplyAdd(r, p, r * r) + Vector(repeating: 1)

  // y * 2^n in two factors: 2^128 is not a Float, and n reaches 128.
  let bits = unsafeBitCast(shifted, to: IntVector.self)
  let exponent = bits &- IntVector(repeating: Int32(bitPattern: roundingShift.bitPattern))
  let half = exponent &>> 1
  let rest = exponent &- half
  let factor1 = unsafeBitCast((half &+ 127) &<< 23, to: Vector.self)
  let factor2 = unsafeBitCast((rest &+ 127) &<< 23, to: Vector.self)
  return y * factor1 * factor2
}

/// log x to 1 ulp; -infinity for 0, infinity for infinity, NaN for NaN and for negative numbers.
@_transparent
func logarithm(_ x: Vector) -> Vector {
  // A subnormal number times 2^23 is a normal one.
  let isSubnormal = x .< Vector(repeating: Float.leastNormalMagnitude)
  let normal = (x * Vector(repeating: 0x1p23)).replacing(with: x, where: .!isSubnormal)

  // x = m 2^e with m in sqrt(1/2) ..< sqrt(2)
  let bits = unsafeBitCast(normal, to: IntVector.self)
  let offset = bits &- IntVector(repeating: 0x3f35_04f3)
  let e = offset &>> 23
  let m = unsafeBitCast(
    (offset & IntVector(repeating: 0x007f_ffff)) &+ IntVector(repeating: 0x3f35_04f3),
    to: Vector.self)
  // An integer below 2^22 becomes a Float by the inverse of the rounding trick.
  let eBits = e &+ IntVector(repeating: Int32(bitPattern: roundingShift.bitPattern))
  let n =
    unsafeBitCast(eBits, to: Vector.self)
    - Vector(repeating: roundingShift).replacing(with: roundingShift + 23, where: isSubnormal)

  let r = m - Vector(repeating: 1)
  let square = r * r
  var p = Vector(repeating: 7.037_683_6e-2)
  p = multiplyAdd(Vector(repeating: -1.151_461e-1), p, r)
  p = multiplyAdd(Vector(repeating: 1.167_699_9e-1), p, r)
  p = multiplyAdd(Vector(repeating: -1.242_014_1e-1), p, r)
  p = multiplyAdd(Vector(repeating: 1.424_932_3e-1), p, r)
  p = multiplyAdd(Vector(repeating: -1.666_805_8e-1), p, r)
  p = multiplyAdd(Vector(repeating: 2.000_071_5e-1), p, r)
  p = multiplyAdd(Vector(repeating: -2.499_999_4e-1), p, r)
  p = multiplyAdd(Vector(repeating: 3.333_333_1e-1), p, r)
  var y = p * r * square
  y = multiplyAdd(y, n, Vector(repeating: -2.121_944_4e-4))
  y = multiplyAdd(y, square, Vector(repeating: -0.5))
  y = r + y
  y = multiplyAdd(y, n, Vector(repeating: 0.693_359_375))
  return y.replacing(with: x, where: .!(x .< Vector(repeating: .infinity)))
    .replacing(with: -.infinity, where: x .== Vector(repeating: 0))
    .replacing(with: .nan, where: x .< Vector(repeating: 0))
}
