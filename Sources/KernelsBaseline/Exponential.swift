// Exponential and logarithm as polynomials: the same bits on every machine that runs this kernel
// set, which the C library's functions do not promise. Coefficients are those of Cephes' expf and
// logf (S. Moshier, netlib).

/// 1.5 * 2^23: added to a number below 2^22, it leaves the nearest integer in the low mantissa
/// bits.
private let roundingShift: Float = 12_582_912

/// e^x to 2 ulp; 0 below -87.3 (no denormal results), infinity above 88.7, NaN for NaN.
@inline(__always)
func exponential(_ x: Vector) -> Vector {
  let low = x .< Vector(repeating: -87.336_54)
  let high = x .> Vector(repeating: 88.722_83)
  let clamped = x.replacing(with: -87.336_54, where: low).replacing(with: 88.722_83, where: high)

  // x = n log 2 + r with |r| <= log(2) / 2; log 2 in two parts, so that n log 2 is exact.
  let shift = Vector(repeating: roundingShift)
  let shifted = multiplyAdd(shift, clamped, Vector(repeating: 1.442_695_04))
  let n = shifted - shift
  var r = multiplyAdd(clamped, n, Vector(repeating: -0.693_359_375))
  r = multiplyAdd(r, n, Vector(repeating: 2.121_944_4e-4))

  var p = Vector(repeating: 1.987_569_2e-4)
  p = multiplyAdd(Vector(repeating: 1.398_199_9e-3), p, r)
  p = multiplyAdd(Vector(repeating: 8.333_452e-3), p, r)
  p = multiplyAdd(Vector(repeating: 4.166_579_6e-2), p, r)
  p = multiplyAdd(Vector(repeating: 1.666_666_5e-1), p, r)
  p = multiplyAdd(Vector(repeating: 5e-1), p, r)
  let y = multiplyAdd(r + Vector(repeating: 1), p, r * r)

  // y * 2^n in two factors: 2^128 is not a Float, and n reaches 128.
  let bits = unsafeBitCast(shifted, to: IntVector.self)
  let exponent = bits &- IntVector(repeating: Int32(bitPattern: roundingShift.bitPattern))
  let half = exponent &>> 1
  let rest = exponent &- half
  let factor1 = unsafeBitCast((half &+ 127) &<< 23, to: Vector.self)
  let factor2 = unsafeBitCast((rest &+ 127) &<< 23, to: Vector.self)
  return (y * factor1 * factor2)
    .replacing(with: 0, where: low)
    .replacing(with: .infinity, where: high)
}

/// log x to 2 ulp for normal positive x; infinity for infinity, NaN for NaN. Others are not needed
/// here.
@inline(__always)
func logarithm(_ x: Vector) -> Vector {
  // x = m 2^e with m in sqrt(1/2) ..< sqrt(2)
  let bits = unsafeBitCast(x, to: IntVector.self)
  let offset = bits &- IntVector(repeating: 0x3f35_04f3)
  let e = offset &>> 23
  let m = unsafeBitCast(
    (offset & IntVector(repeating: 0x007f_ffff)) &+ IntVector(repeating: 0x3f35_04f3),
    to: Vector.self)
  // An integer below 2^22 becomes a Float by the inverse of the rounding trick.
  let eBits = e &+ IntVector(repeating: Int32(bitPattern: roundingShift.bitPattern))
  let n = unsafeBitCast(eBits, to: Vector.self) - Vector(repeating: roundingShift)

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
}
