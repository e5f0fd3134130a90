import CKernels

// What the optimizers' updates share. No multiply-add is fused in them: an update gives the same
// bits in every kernel set.
//
// An update is a local function, handed to `forEachVector`. Both have to be transparent, and so has
// `gradient`: `@inline(__always)` alone leaves calls in the loop, at a tenth of the speed.

/// Calls `update` with the first element and the size of one vector after the other. The last one
/// may be short; the others are whole, which makes their loads and stores single instructions.
@_transparent
func forEachVector(_ count: Int, _ update: (_ i: Int, _ valid: Int) -> Void) {
  var i = 0
  while i + lanes <= count {
    update(i, lanes)
    i += lanes
  }
  if i < count { update(i, count - i) }
}

/// `valid` lanes from memory, zero in the others.
@inline(__always)
func load(_ p: UnsafePointer<Float>, _ valid: Int) -> Vector { load(p, count: valid, fill: 0) }

@inline(__always)
func load(_ p: UnsafeMutablePointer<Float>, _ valid: Int) -> Vector {
  load(UnsafePointer(p), count: valid, fill: 0)
}

/// The gradient that an update goes by; NaN stays NaN.
@_transparent
func gradient(_ terms: CGradientTerms, _ sum: Vector, _ w: Vector) -> Vector {
  let limit = Vector(repeating: terms.limit)
  var clamped = sum * terms.scale
  clamped = clamped.replacing(with: limit, where: clamped .> limit)
  clamped = clamped.replacing(with: -limit, where: clamped .< -limit)
  let zero = Vector(repeating: 0)
  let sign = zero.replacing(with: 1, where: w .> zero).replacing(with: -1, where: w .< zero)
  return clamped + w * terms.weightDecay + sign * terms.l1
}

#if KERNELS_AVX512
  typealias WideVector = SIMD16<Double>
#elseif KERNELS_AVX2
  typealias WideVector = SIMD8<Double>
#else
  typealias WideVector = SIMD4<Double>
#endif

/// sums + x^2, lane by lane: the square of a float is exact in double precision.
@inline(__always)
func addSquares(_ x: Vector, to sums: WideVector) -> WideVector {
  var wide = WideVector()
  for lane in 0..<lanes { wide[lane] = Double(x[lane]) }
  return sums + wide * wide
}

/// The sum of the lanes, in order.
@inline(__always)
func total(_ sums: WideVector) -> Double {
  var total = 0.0
  for lane in 0..<lanes { total += sums[lane] }
  return total
}
