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

private let factor: UInt32 = 0x9e37_79b1

/// 64 sums, whose number is the same in every kernel set: element i goes to sum i % 64.
func hash(_ count: Int, _ x: UnsafePointer<Float>, _ state: UnsafeMutablePointer<UInt32>) {
  let whole = count & ~63
  // Four vectors of sums at a time: as many as keep multipliers busy, and whole cache lines. (All at
  // once, a SIMD64, the compiler would take apart lane by lane.)
  for first in stride(from: 0, to: 64, by: 4 * lanes) {
    let sums = state + first
    var (a, b, c, d) = (
      loadBits(sums), loadBits(sums + lanes), loadBits(sums + 2 * lanes), loadBits(sums + 3 * lanes)
    )
    var i = first
    while i < whole {
      a = mixed(a, loadBits(x + i))
      b = mixed(b, loadBits(x + i + lanes))
      c = mixed(c, loadBits(x + i + 2 * lanes))
      d = mixed(d, loadBits(x + i + 3 * lanes))
      i += 64
    }
    storeBits(a, sums)
    storeBits(b, sums + lanes)
    storeBits(c, sums + 2 * lanes)
    storeBits(d, sums + 3 * lanes)
  }
  for i in whole..<count {
    let sum = (state[i - whole] ^ x[i].bitPattern) &* factor
    state[i - whole] = sum ^ sum &>> 15
  }
}

/// A bijection of either argument.
@inline(__always)
private func mixed(_ sum: UnsignedVector, _ x: UnsignedVector) -> UnsignedVector {
  let product = (sum ^ x) &* UnsignedVector(repeating: factor)
  return product ^ product &>> UnsignedVector(repeating: 15)
}

@inline(__always)
private func loadBits(_ p: UnsafeRawPointer) -> UnsignedVector {
  p.loadUnaligned(as: UnsignedVector.self)
}

@inline(__always)
private func storeBits(_ v: UnsignedVector, _ p: UnsafeMutableRawPointer) {
  p.storeBytes(of: v, as: UnsignedVector.self)
}
