// Floating-point operations whose bits do not show the order of operands. Which payload and sign a
// NaN result has depends on that order and on the CPU: it is replaced by the canonical one.
//
// Minimum and maximum are those of IEEE 754-2019. The choice is made twice, once from either side:
// both choose the same element, or one each of two equal ones. Equal elements with different bits
// are zeros of two signs: of their bits, "or" keeps the sign (minimum), "and" drops it (maximum).

@inline(__always)
func canonical(_ v: Vector) -> Vector { v.replacing(with: .nan, where: v .!= v) }

@inline(__always)
func minimum(_ a: Vector, _ b: Vector) -> Vector {
  let first = a.replacing(with: b, where: b .< a)
  let second = b.replacing(with: a, where: a .< b)
  let bits = unsafeBitCast(first, to: IntVector.self) | unsafeBitCast(second, to: IntVector.self)
  return unsafeBitCast(bits, to: Vector.self)
    .replacing(with: .nan, where: (a .!= a) .| (b .!= b))
}

@inline(__always)
func maximum(_ a: Vector, _ b: Vector) -> Vector {
  let first = a.replacing(with: b, where: b .> a)
  let second = b.replacing(with: a, where: a .> b)
  let bits = unsafeBitCast(first, to: IntVector.self) & unsafeBitCast(second, to: IntVector.self)
  return unsafeBitCast(bits, to: Vector.self)
    .replacing(with: .nan, where: (a .!= a) .| (b .!= b))
}

@inline(__always)
func canonical(_ v: DoubleVector) -> DoubleVector { v.replacing(with: .nan, where: v .!= v) }

@inline(__always)
func minimum(_ a: DoubleVector, _ b: DoubleVector) -> DoubleVector {
  let first = a.replacing(with: b, where: b .< a)
  let second = b.replacing(with: a, where: a .< b)
  let bits = unsafeBitCast(first, to: LongVector.self) | unsafeBitCast(second, to: LongVector.self)
  return unsafeBitCast(bits, to: DoubleVector.self)
    .replacing(with: .nan, where: (a .!= a) .| (b .!= b))
}

@inline(__always)
func maximum(_ a: DoubleVector, _ b: DoubleVector) -> DoubleVector {
  let first = a.replacing(with: b, where: b .> a)
  let second = b.replacing(with: a, where: a .> b)
  let bits = unsafeBitCast(first, to: LongVector.self) & unsafeBitCast(second, to: LongVector.self)
  return unsafeBitCast(bits, to: DoubleVector.self)
    .replacing(with: .nan, where: (a .!= a) .| (b .!= b))
}
