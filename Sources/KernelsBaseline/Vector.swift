// The vector type of this kernel set and the few operations that differ between sets.
//
// This folder is compiled three times. It uses pointers and SIMD only: an Array, a String or a
// closure would emit shared specialisations full of this set's instructions, which the linker may
// then pick for code that runs on every CPU.

#if KERNELS_AVX512
  typealias Vector = SIMD16<Float>
  typealias HalfVector = SIMD8<Float>
  typealias IntVector = SIMD16<Int32>
  typealias UnsignedVector = SIMD16<UInt32>
  typealias DoubleVector = SIMD8<Double>
  typealias LongVector = SIMD8<Int64>
#elseif KERNELS_AVX2
  typealias Vector = SIMD8<Float>
  typealias HalfVector = SIMD4<Float>
  typealias IntVector = SIMD8<Int32>
  typealias UnsignedVector = SIMD8<UInt32>
  typealias DoubleVector = SIMD4<Double>
  typealias LongVector = SIMD4<Int64>
#else
  typealias Vector = SIMD4<Float>
  typealias HalfVector = SIMD2<Float>
  typealias IntVector = SIMD4<Int32>
  typealias UnsignedVector = SIMD4<UInt32>
  typealias DoubleVector = SIMD2<Double>
  typealias LongVector = SIMD2<Int64>
#endif

/// Lanes of `Vector`.
let lanes = MemoryLayout<Vector>.size / MemoryLayout<Float>.size

/// acc + a * b: fused where the instruction set has it, and never a call to `fmaf` where it has
/// not.
@inline(__always)
func multiplyAdd(_ acc: Vector, _ a: Vector, _ b: Vector) -> Vector {
  #if KERNELS_AVX512 || KERNELS_AVX2 || arch(arm64)
    acc.addingProduct(a, b)
  #else
    acc + a * b
  #endif
}

@inline(__always)
func load(_ p: UnsafePointer<Float>) -> Vector {
  UnsafeRawPointer(p).loadUnaligned(as: Vector.self)
}

@inline(__always)
func store(_ v: Vector, _ p: UnsafeMutablePointer<Float>) {
  UnsafeMutableRawPointer(p).storeBytes(of: v, as: Vector.self)
}

// On arm64 a part of a vector is not copied by a call, which would drive constants out of a loop's
// registers: x86-64 takes them from memory as operands, NEON with an instruction for each.

/// The first `count` lanes from memory, `fill` in the others; reads nothing beyond `count`.
@inline(__always)
func load(_ p: UnsafePointer<Float>, count: Int, fill: Float) -> Vector {
  var v = Vector(repeating: fill)
  withUnsafeMutableBytes(of: &v) {
    #if arch(arm64)
      copy(count, p, $0.baseAddress!.assumingMemoryBound(to: Float.self))
    #else
      $0.baseAddress!.copyMemory(from: p, byteCount: count * MemoryLayout<Float>.size)
    #endif
  }
  return v
}

/// The first `count` lanes from memory, `fill` in the others; reads nothing beyond `end`. Without a
/// copy of unknown length where a whole vector lies before `end`.
@inline(__always)
func load(
  _ p: UnsafePointer<Float>, count: Int, fill: Float, end: UnsafePointer<Float>
) -> Vector {
  if count == lanes { return load(p) }
  guard p + lanes <= end else { return load(p, count: count, fill: fill) }
  return load(p).replacing(with: fill, where: .!isLane(below: count))
}

/// Writes the first `count` lanes and nothing beyond.
@inline(__always)
func store(_ v: Vector, _ p: UnsafeMutablePointer<Float>, count: Int) {
  withUnsafeBytes(of: v) {
    #if arch(arm64)
      copy(count, $0.baseAddress!.assumingMemoryBound(to: Float.self), p)
    #else
      UnsafeMutableRawPointer(p).copyMemory(
        from: $0.baseAddress!, byteCount: count * MemoryLayout<Float>.size)
    #endif
  }
}

/// The number of each lane.
@inline(__always)
var laneNumbers: IntVector {
  #if KERNELS_AVX512
    IntVector(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
  #elseif KERNELS_AVX2
    IntVector(0, 1, 2, 3, 4, 5, 6, 7)
  #else
    IntVector(0, 1, 2, 3)
  #endif
}

/// A vector from memory, or as many lanes as there are, the others 0.
@inline(__always)
func load(_ p: UnsafePointer<Float>, atMost count: Int) -> Vector {
  count >= lanes ? load(p) : load(p, count: count, fill: 0)
}

/// Writes a vector, or as many lanes as there is room for.
@inline(__always)
func store(_ v: Vector, _ p: UnsafeMutablePointer<Float>, atMost count: Int) {
  if count >= lanes { store(v, p) } else { store(v, p, count: count) }
}

/// True in the first `count` lanes.
@inline(__always)
func isLane(below count: Int) -> SIMDMask<IntVector> {
  laneNumbers .< IntVector(repeating: Int32(truncatingIfNeeded: count))
}

/// The sum of the lanes: halves are added until one is left.
@inline(__always)
func sum(_ v: Vector) -> Float {
  #if KERNELS_AVX512
    let eight = v.lowHalf + v.highHalf
    let four = eight.lowHalf + eight.highHalf
  #elseif KERNELS_AVX2
    let four = v.lowHalf + v.highHalf
  #else
    let four = v
  #endif
  let two = four.lowHalf + four.highHalf
  return two.x + two.y
}

/// The largest lane, of lanes that are not NaN.
@inline(__always)
func largest(_ v: Vector) -> Float {
  #if KERNELS_AVX512
    let eight = v.lowHalf.replacing(with: v.highHalf, where: v.highHalf .> v.lowHalf)
    let four = eight.lowHalf.replacing(
      with: eight.highHalf, where: eight.highHalf .> eight.lowHalf)
  #elseif KERNELS_AVX2
    let four = v.lowHalf.replacing(with: v.highHalf, where: v.highHalf .> v.lowHalf)
  #else
    let four = v
  #endif
  let two = four.lowHalf.replacing(with: four.highHalf, where: four.highHalf .> four.lowHalf)
  return two.y > two.x ? two.y : two.x
}

@inline(__always)
func magnitude(_ v: Vector) -> Vector {
  unsafeBitCast(
    unsafeBitCast(v, to: IntVector.self) & IntVector(repeating: 0x7fff_ffff), to: Vector.self)
}

/// `v`, or -`v` where `sign` has the sign bit.
@inline(__always)
func negate(_ v: Vector, whereNegative sign: Vector) -> Vector {
  let bit = unsafeBitCast(sign, to: IntVector.self) & IntVector(repeating: Int32.min)
  return unsafeBitCast(unsafeBitCast(v, to: IntVector.self) ^ bit, to: Vector.self)
}
