// The transpose of a square of vectors.
//
// Each stage has a type of its own for the lanes: the compiler merges chains of shuffles of one type
// into slower ones, and leaves those that are cast in between as they are.

/// Writes `depth` columns (at most `lanes`) of `width` rows (at most `lanes`) of `source` as whole
/// vectors, `targetStride` apart, with zeros beyond `width`.
@inline(__always)
func transpose(
  _ source: UnsafePointer<Float>, _ stride: Int, width: Int, depth: Int,
  _ target: UnsafeMutablePointer<Float>, _ targetStride: Int
) {
  if width == lanes && depth == lanes {
    transposeSquare(source, stride, target, targetStride)
    return
  }
  for d in 0..<depth {
    store(Vector(repeating: 0), target + d * targetStride)
    for i in 0..<width { target[d * targetStride + i] = source[i * stride + d] }
  }
}

/// Groups of four lanes first, for which every set has instructions, then whole groups.
@inline(__always)
private func transposeSquare(
  _ source: UnsafePointer<Float>, _ stride: Int, _ target: UnsafeMutablePointer<Float>,
  _ targetStride: Int
) {
  // quads[4q + c], group g: column 4g + c of the rows 4q ..< 4q + 4.
  let z = LongVector(repeating: 0)
  var quads: InlineArray<16, LongVector> = [z, z, z, z, z, z, z, z, z, z, z, z, z, z, z, z]
  for q in 0..<lanes / 4 {
    let rows = source + 4 * q * stride
    let (r0, r1) = (load(rows), load(rows + stride))
    let (r2, r3) = (load(rows + 2 * stride), load(rows + 3 * stride))
    let (low0, low1) = (interleaveLow(r0, r1), interleaveLow(r2, r3))
    let (high0, high1) = (interleaveHigh(r0, r1), interleaveHigh(r2, r3))
    quads[4 * q] = interleaveLow(low0, low1)
    quads[4 * q + 1] = interleaveHigh(low0, low1)
    quads[4 * q + 2] = interleaveLow(high0, high1)
    quads[4 * q + 3] = interleaveHigh(high0, high1)
  }
  for c in 0..<4 {
    let columns = target + c * targetStride
    #if KERNELS_AVX512
      let even0 = evenGroups(quads[c], quads[c + 4])
      let even1 = evenGroups(quads[c + 8], quads[c + 12])
      let odd0 = oddGroups(quads[c], quads[c + 4])
      let odd1 = oddGroups(quads[c + 8], quads[c + 12])
      store(floats(evenGroups(even0, even1)), columns)
      store(floats(evenGroups(odd0, odd1)), columns + 4 * targetStride)
      store(floats(oddGroups(even0, even1)), columns + 8 * targetStride)
      store(floats(oddGroups(odd0, odd1)), columns + 12 * targetStride)
    #elseif KERNELS_AVX2
      store(floats(evenGroups(quads[c], quads[c + 4])), columns)
      store(floats(oddGroups(quads[c], quads[c + 4])), columns + 4 * targetStride)
    #else
      store(floats(quads[c]), columns)
    #endif
  }
}

/// In each group of four lanes: a0 b0 a1 b1.
@inline(__always)
private func interleaveLow(_ a: Vector, _ b: Vector) -> DoubleVector {
  var v = a
  for g in stride(from: 0, to: lanes, by: 4) {
    v[g] = a[g]
    v[g + 1] = b[g]
    v[g + 2] = a[g + 1]
    v[g + 3] = b[g + 1]
  }
  return unsafeBitCast(v, to: DoubleVector.self)
}

/// In each group of four lanes: a2 b2 a3 b3.
@inline(__always)
private func interleaveHigh(_ a: Vector, _ b: Vector) -> DoubleVector {
  var v = a
  for g in stride(from: 0, to: lanes, by: 4) {
    v[g] = a[g + 2]
    v[g + 1] = b[g + 2]
    v[g + 2] = a[g + 3]
    v[g + 3] = b[g + 3]
  }
  return unsafeBitCast(v, to: DoubleVector.self)
}

/// In each group of two pairs: a0 b0.
@inline(__always)
private func interleaveLow(_ a: DoubleVector, _ b: DoubleVector) -> LongVector {
  var v = a
  for g in stride(from: 0, to: lanes / 2, by: 2) { v[g + 1] = b[g] }
  return unsafeBitCast(v, to: LongVector.self)
}

/// In each group of two pairs: a1 b1.
@inline(__always)
private func interleaveHigh(_ a: DoubleVector, _ b: DoubleVector) -> LongVector {
  var v = b
  for g in stride(from: 0, to: lanes / 2, by: 2) { v[g] = a[g + 1] }
  return unsafeBitCast(v, to: LongVector.self)
}

#if KERNELS_AVX512 || KERNELS_AVX2
  /// Of two vectors, the groups of four lanes with an even number.
  @inline(__always)
  private func evenGroups(_ a: LongVector, _ b: LongVector) -> DoubleVector {
    unsafeBitCast(groups(0, a, b), to: DoubleVector.self)
  }

  /// Of two vectors, the groups of four lanes with an odd number.
  @inline(__always)
  private func oddGroups(_ a: LongVector, _ b: LongVector) -> DoubleVector {
    unsafeBitCast(groups(2, a, b), to: DoubleVector.self)
  }

  @inline(__always)
  private func groups(_ first: Int, _ a: LongVector, _ b: LongVector) -> LongVector {
    var v = a
    for g in stride(from: 0, to: lanes / 4, by: 2) {
      v[g] = a[2 * g + first]
      v[g + 1] = a[2 * g + first + 1]
      v[lanes / 4 + g] = b[2 * g + first]
      v[lanes / 4 + g + 1] = b[2 * g + first + 1]
    }
    return v
  }
#endif

#if KERNELS_AVX512
  @inline(__always)
  private func evenGroups(_ a: DoubleVector, _ b: DoubleVector) -> LongVector {
    var v = a
    for g in stride(from: 0, to: lanes / 4, by: 2) {
      v[g] = a[2 * g]
      v[g + 1] = a[2 * g + 1]
      v[lanes / 4 + g] = b[2 * g]
      v[lanes / 4 + g + 1] = b[2 * g + 1]
    }
    return unsafeBitCast(v, to: LongVector.self)
  }

  @inline(__always)
  private func oddGroups(_ a: DoubleVector, _ b: DoubleVector) -> LongVector {
    var v = a
    for g in stride(from: 0, to: lanes / 4, by: 2) {
      v[g] = a[2 * g + 2]
      v[g + 1] = a[2 * g + 3]
      v[lanes / 4 + g] = b[2 * g + 2]
      v[lanes / 4 + g + 1] = b[2 * g + 3]
    }
    return unsafeBitCast(v, to: LongVector.self)
  }
#endif

@inline(__always)
private func floats(_ v: DoubleVector) -> Vector { unsafeBitCast(v, to: Vector.self) }

@inline(__always)
private func floats(_ v: LongVector) -> Vector { unsafeBitCast(v, to: Vector.self) }
