import CKernels

// Two elements become one: a kernel for each operation and type, and the loop that they share (a
// private one: as an internal generic it would be emitted by itself, with weak symbols of the
// library's).
//
// Integer sums and products wrap.

func sumFloat32(
  _ count: Int, _ aheadA: Int, _ aheadB: Int, _ a: UnsafeRawPointer, _ b: UnsafeRawPointer,
  _ y: UnsafeMutableRawPointer, _ z: UnsafeMutableRawPointer?, _ streams: Bool
) {
  combine(count, aheadA, aheadB, a, b, y, z, streams) { (a: Vector, b: Vector) in canonical(a + b) }
}

func productFloat32(
  _ count: Int, _ aheadA: Int, _ aheadB: Int, _ a: UnsafeRawPointer, _ b: UnsafeRawPointer,
  _ y: UnsafeMutableRawPointer, _ z: UnsafeMutableRawPointer?, _ streams: Bool
) {
  combine(count, aheadA, aheadB, a, b, y, z, streams) { (a: Vector, b: Vector) in canonical(a * b) }
}

func minimumFloat32(
  _ count: Int, _ aheadA: Int, _ aheadB: Int, _ a: UnsafeRawPointer, _ b: UnsafeRawPointer,
  _ y: UnsafeMutableRawPointer, _ z: UnsafeMutableRawPointer?, _ streams: Bool
) {
  combine(count, aheadA, aheadB, a, b, y, z, streams) { (a: Vector, b: Vector) in minimum(a, b) }
}

func maximumFloat32(
  _ count: Int, _ aheadA: Int, _ aheadB: Int, _ a: UnsafeRawPointer, _ b: UnsafeRawPointer,
  _ y: UnsafeMutableRawPointer, _ z: UnsafeMutableRawPointer?, _ streams: Bool
) {
  combine(count, aheadA, aheadB, a, b, y, z, streams) { (a: Vector, b: Vector) in maximum(a, b) }
}

func sumFloat64(
  _ count: Int, _ aheadA: Int, _ aheadB: Int, _ a: UnsafeRawPointer, _ b: UnsafeRawPointer,
  _ y: UnsafeMutableRawPointer, _ z: UnsafeMutableRawPointer?, _ streams: Bool
) {
  combine(count, aheadA, aheadB, a, b, y, z, streams) { (a: DoubleVector, b: DoubleVector) in
    canonical(a + b)
  }
}

func productFloat64(
  _ count: Int, _ aheadA: Int, _ aheadB: Int, _ a: UnsafeRawPointer, _ b: UnsafeRawPointer,
  _ y: UnsafeMutableRawPointer, _ z: UnsafeMutableRawPointer?, _ streams: Bool
) {
  combine(count, aheadA, aheadB, a, b, y, z, streams) { (a: DoubleVector, b: DoubleVector) in
    canonical(a * b)
  }
}

func minimumFloat64(
  _ count: Int, _ aheadA: Int, _ aheadB: Int, _ a: UnsafeRawPointer, _ b: UnsafeRawPointer,
  _ y: UnsafeMutableRawPointer, _ z: UnsafeMutableRawPointer?, _ streams: Bool
) {
  combine(count, aheadA, aheadB, a, b, y, z, streams) { (a: DoubleVector, b: DoubleVector) in
    minimum(a, b)
  }
}

func maximumFloat64(
  _ count: Int, _ aheadA: Int, _ aheadB: Int, _ a: UnsafeRawPointer, _ b: UnsafeRawPointer,
  _ y: UnsafeMutableRawPointer, _ z: UnsafeMutableRawPointer?, _ streams: Bool
) {
  combine(count, aheadA, aheadB, a, b, y, z, streams) { (a: DoubleVector, b: DoubleVector) in
    maximum(a, b)
  }
}

func sumInt32(
  _ count: Int, _ aheadA: Int, _ aheadB: Int, _ a: UnsafeRawPointer, _ b: UnsafeRawPointer,
  _ y: UnsafeMutableRawPointer, _ z: UnsafeMutableRawPointer?, _ streams: Bool
) {
  combine(count, aheadA, aheadB, a, b, y, z, streams) { (a: IntVector, b: IntVector) in a &+ b }
}

func productInt32(
  _ count: Int, _ aheadA: Int, _ aheadB: Int, _ a: UnsafeRawPointer, _ b: UnsafeRawPointer,
  _ y: UnsafeMutableRawPointer, _ z: UnsafeMutableRawPointer?, _ streams: Bool
) {
  combine(count, aheadA, aheadB, a, b, y, z, streams) { (a: IntVector, b: IntVector) in a &* b }
}

func minimumInt32(
  _ count: Int, _ aheadA: Int, _ aheadB: Int, _ a: UnsafeRawPointer, _ b: UnsafeRawPointer,
  _ y: UnsafeMutableRawPointer, _ z: UnsafeMutableRawPointer?, _ streams: Bool
) {
  combine(count, aheadA, aheadB, a, b, y, z, streams) { (a: IntVector, b: IntVector) in
    a.replacing(with: b, where: b .< a)
  }
}

func maximumInt32(
  _ count: Int, _ aheadA: Int, _ aheadB: Int, _ a: UnsafeRawPointer, _ b: UnsafeRawPointer,
  _ y: UnsafeMutableRawPointer, _ z: UnsafeMutableRawPointer?, _ streams: Bool
) {
  combine(count, aheadA, aheadB, a, b, y, z, streams) { (a: IntVector, b: IntVector) in
    a.replacing(with: b, where: b .> a)
  }
}

func sumInt64(
  _ count: Int, _ aheadA: Int, _ aheadB: Int, _ a: UnsafeRawPointer, _ b: UnsafeRawPointer,
  _ y: UnsafeMutableRawPointer, _ z: UnsafeMutableRawPointer?, _ streams: Bool
) {
  combine(count, aheadA, aheadB, a, b, y, z, streams) { (a: LongVector, b: LongVector) in a &+ b }
}

func productInt64(
  _ count: Int, _ aheadA: Int, _ aheadB: Int, _ a: UnsafeRawPointer, _ b: UnsafeRawPointer,
  _ y: UnsafeMutableRawPointer, _ z: UnsafeMutableRawPointer?, _ streams: Bool
) {
  combine(count, aheadA, aheadB, a, b, y, z, streams) { (a: LongVector, b: LongVector) in a &* b }
}

func minimumInt64(
  _ count: Int, _ aheadA: Int, _ aheadB: Int, _ a: UnsafeRawPointer, _ b: UnsafeRawPointer,
  _ y: UnsafeMutableRawPointer, _ z: UnsafeMutableRawPointer?, _ streams: Bool
) {
  combine(count, aheadA, aheadB, a, b, y, z, streams) { (a: LongVector, b: LongVector) in
    a.replacing(with: b, where: b .< a)
  }
}

func maximumInt64(
  _ count: Int, _ aheadA: Int, _ aheadB: Int, _ a: UnsafeRawPointer, _ b: UnsafeRawPointer,
  _ y: UnsafeMutableRawPointer, _ z: UnsafeMutableRawPointer?, _ streams: Bool
) {
  combine(count, aheadA, aheadB, a, b, y, z, streams) { (a: LongVector, b: LongVector) in
    a.replacing(with: b, where: b .> a)
  }
}

/// y[i] = operation(a[i], b[i]), and z[i] too where there is one, a vector at a time; each may be `a`
/// or `b`. With `streams`, whole passes are stored past the caches.
///
/// Not left to the vectoriser, which takes the scalar loop where operands overlap, as they do in
/// place. Here all operands of a pass are read before any of its results is written.
@inline(__always)
private func combine<V: SIMD>(
  _ count: Int, _ aheadA: Int, _ aheadB: Int, _ a: UnsafeRawPointer, _ b: UnsafeRawPointer,
  _ y: UnsafeMutableRawPointer, _ z: UnsafeMutableRawPointer?, _ streams: Bool,
  _ operation: (V, V) -> V
) {
  let width = MemoryLayout<V>.size
  let end = count * MemoryLayout<V.Scalar>.size
  let endA = aheadA * MemoryLayout<V.Scalar>.size
  let endB = aheadB * MemoryLayout<V.Scalar>.size
  var i = 0
  if streams {
    passes(&i, end, endA, endB, a, b, operation) { v, i in
      withUnsafeBytes(of: v) {
        CKernels_stream(width, $0.baseAddress!, y + i)
        if let z { CKernels_stream(width, $0.baseAddress!, z + i) }
      }
    }
  } else if let z {
    passes(&i, end, endA, endB, a, b, operation) { v, i in
      store(v, y + i)
      store(v, z + i)
    }
  } else {
    passes(&i, end, endA, endB, a, b, operation) { v, i in store(v, y + i) }
  }
  while i + width <= end {
    let result = operation(load(a + i), load(b + i))
    store(result, y + i)
    if let z { store(result, z + i) }
    i += width
  }
  guard i < end else { return }
  var (lastA, lastB) = (V(), V())
  copy(a + i, to: &lastA, byteCount: end - i)
  copy(b + i, to: &lastB, byteCount: end - i)
  withUnsafeBytes(of: operation(lastA, lastB)) {
    (y + i).copyMemory(from: $0.baseAddress!, byteCount: end - i)
    if let z { (z + i).copyMemory(from: $0.baseAddress!, byteCount: end - i) }
  }
}

/// How far ahead operands are asked for, in bytes. The CPU foresees memory that is read from end to
/// end up to the end of a page, and begins anew in the next.
private let page = 4096

/// From byte `i` on, four vectors at a time as long as there are so many; `a` is asked for ahead up to
/// byte `endA`, `b` up to byte `endB`.
@inline(__always)
private func passes<V: SIMD>(
  _ i: inout Int, _ end: Int, _ endA: Int, _ endB: Int, _ a: UnsafeRawPointer,
  _ b: UnsafeRawPointer, _ operation: (V, V) -> V, _ store: (V, Int) -> Void
) {
  let width = MemoryLayout<V>.size
  let (endOfBoth, endOfOne) = (min(endA, endB), max(endA, endB))
  let one = endA < endB ? b : a
  while i + 4 * width <= end {
    // In turns: all of one operand and then of the other takes 4 to 10 % longer in shared memory.
    if i + page < endOfBoth {
      for line in stride(from: i + page, to: i + page + 4 * width, by: 64) {
        CKernels_prefetchFar(a + line)
        CKernels_prefetchFar(b + line)
      }
    } else if i + page < endOfOne {
      for line in stride(from: i + page, to: i + page + 4 * width, by: 64) {
        CKernels_prefetchFar(one + line)
      }
    }
    let y0 = operation(load(a + i), load(b + i))
    let y1 = operation(load(a + i + width), load(b + i + width))
    let y2 = operation(load(a + i + 2 * width), load(b + i + 2 * width))
    let y3 = operation(load(a + i + 3 * width), load(b + i + 3 * width))
    store(y0, i)
    store(y1, i + width)
    store(y2, i + 2 * width)
    store(y3, i + 3 * width)
    i += 4 * width
  }
}

@inline(__always)
private func load<V: SIMD>(_ p: UnsafeRawPointer) -> V { p.loadUnaligned(as: V.self) }

@inline(__always)
private func store<V: SIMD>(_ v: V, _ p: UnsafeMutableRawPointer) {
  p.storeBytes(of: v, as: V.self)
}

@inline(__always)
private func copy<V: SIMD>(_ p: UnsafeRawPointer, to v: inout V, byteCount: Int) {
  withUnsafeMutableBytes(of: &v) {
    $0.baseAddress!.copyMemory(from: p, byteCount: byteCount)
  }
}
