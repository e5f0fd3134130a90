import CKernels

func checkTable() -> CChecks { CChecks(isFinite: isFinite, hash: hash) }

/// The magnitude of an infinity; those of NaN are larger.
private let infinity: Int32 = 0x7f80_0000

func isFinite(_ count: Int, _ x: UnsafePointer<Float>) -> Bool {
  let none = IntVector(repeating: 0)
  // As many as load units are kept busy by.
  var (a, b, c, d) = (none, none, none, none)
  var i = 0
  while i + 4 * lanes <= count {
    a = larger(a, bits(load(x + i)))
    b = larger(b, bits(load(x + i + lanes)))
    c = larger(c, bits(load(x + i + 2 * lanes)))
    d = larger(d, bits(load(x + i + 3 * lanes)))
    i += 4 * lanes
  }
  while i < count {
    a = larger(a, bits(load(x + i, atMost: count - i)))
    i += lanes
  }
  let most = larger(larger(a, b), larger(c, d))
  for lane in 0..<lanes where most[lane] >= infinity { return false }
  return true
}

/// Without the sign: as integers, magnitudes are in the order of the numbers.
@inline(__always)
private func bits(_ v: Vector) -> IntVector {
  unsafeBitCast(v, to: IntVector.self) & IntVector(repeating: 0x7fff_ffff)
}

@inline(__always)
private func larger(_ a: IntVector, _ b: IntVector) -> IntVector {
  a.replacing(with: b, where: b .> a)
}

/// The 64 sums of a hash: one is as far from the next in every kernel set.
private typealias Words = SIMD64<UInt32>

func hash(_ count: Int, _ x: UnsafePointer<Float>, _ state: UnsafeMutablePointer<UInt32>) {
  let factor = Words(repeating: 0x9e37_79b1)
  var s = UnsafeRawPointer(state).loadUnaligned(as: Words.self)
  var i = 0
  while i + 64 <= count {
    s = (s ^ UnsafeRawPointer(x + i).loadUnaligned(as: Words.self)) &* factor
    s ^= s &>> 15
    i += 64
  }
  UnsafeMutableRawPointer(state).storeBytes(of: s, as: Words.self)
  while i < count {
    let mixed = (state[i % 64] ^ x[i].bitPattern) &* 0x9e37_79b1
    state[i % 64] = mixed ^ mixed &>> 15
    i += 1
  }
}
