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

/// Words as many as lanes: 64 in one would be a vector that no CPU has, and the compiler goes through
/// its lanes one by one.
#if KERNELS_AVX512
  private typealias Words = SIMD16<UInt32>
#elseif KERNELS_AVX2
  private typealias Words = SIMD8<UInt32>
#else
  private typealias Words = SIMD4<UInt32>
#endif

private let factor: UInt32 = 0x9e37_79b1

/// 64 sums, whose number is the same in every kernel set: element i goes to sum i % 64.
func hash(_ count: Int, _ x: UnsafePointer<Float>, _ state: UnsafeMutablePointer<UInt32>) {
  let whole = count & ~63
  // Four vectors of sums at a time: as many as keep multipliers busy, and whole cache lines.
  for first in stride(from: 0, to: 64, by: 4 * lanes) {
    var sums = (
      words(state + first), words(state + first + lanes), words(state + first + 2 * lanes),
      words(state + first + 3 * lanes)
    )
    var i = first
    while i < whole {
      sums.0 = mixed(sums.0, words(x + i))
      sums.1 = mixed(sums.1, words(x + i + lanes))
      sums.2 = mixed(sums.2, words(x + i + 2 * lanes))
      sums.3 = mixed(sums.3, words(x + i + 3 * lanes))
      i += 64
    }
    UnsafeMutableRawPointer(state + first).storeBytes(of: sums.0, as: Words.self)
    UnsafeMutableRawPointer(state + first + lanes).storeBytes(of: sums.1, as: Words.self)
    UnsafeMutableRawPointer(state + first + 2 * lanes).storeBytes(of: sums.2, as: Words.self)
    UnsafeMutableRawPointer(state + first + 3 * lanes).storeBytes(of: sums.3, as: Words.self)
  }
  for i in whole..<count {
    let sum = (state[i - whole] ^ x[i].bitPattern) &* factor
    state[i - whole] = sum ^ sum &>> 15
  }
}

@inline(__always)
private func words(_ p: UnsafeRawPointer) -> Words { p.loadUnaligned(as: Words.self) }

/// A bijection of either argument.
@inline(__always)
private func mixed(_ sum: Words, _ x: Words) -> Words {
  let product = (sum ^ x) &* Words(repeating: factor)
  return product ^ product &>> Words(repeating: 15)
}
