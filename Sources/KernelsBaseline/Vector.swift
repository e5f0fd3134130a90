// The vector type of this kernel set and the few operations that differ between sets.
//
// This folder is compiled three times. It uses pointers and SIMD only: an Array, a String or a
// closure would emit shared specialisations full of this set's instructions, which the linker may
// then pick for code that runs on every CPU.

#if KERNELS_AVX512
  typealias Vector = SIMD16<Float>
  typealias IntVector = SIMD16<Int32>
  typealias DoubleVector = SIMD8<Double>
  typealias LongVector = SIMD8<Int64>
#elseif KERNELS_AVX2
  typealias Vector = SIMD8<Float>
  typealias IntVector = SIMD8<Int32>
  typealias DoubleVector = SIMD4<Double>
  typealias LongVector = SIMD4<Int64>
#else
  typealias Vector = SIMD4<Float>
  typealias IntVector = SIMD4<Int32>
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

/// The first `count` lanes from memory, `fill` in the others; reads nothing beyond `count`.
@inline(__always)
func load(_ p: UnsafePointer<Float>, count: Int, fill: Float) -> Vector {
  var v = Vector(repeating: fill)
  withUnsafeMutableBytes(of: &v) {
    $0.baseAddress!.copyMemory(from: p, byteCount: count * MemoryLayout<Float>.size)
  }
  return v
}

/// Writes the first `count` lanes and nothing beyond.
@inline(__always)
func store(_ v: Vector, _ p: UnsafeMutablePointer<Float>, count: Int) {
  withUnsafeBytes(of: v) {
    UnsafeMutableRawPointer(p).copyMemory(
      from: $0.baseAddress!, byteCount: count * MemoryLayout<Float>.size)
  }
}
