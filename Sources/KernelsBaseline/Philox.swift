import CKernels

func randomTable() -> CRandom { CRandom(words: words, dropout: dropout) }

// Philox4x32-10 (Salmon, Moraes, Dror & Shaw, SC 2011), a block in every lane. A word of 32 bits
// lies in a lane of 64, in which the CPU has the product of two such words.

#if KERNELS_AVX512
  private typealias Words = SIMD8<UInt64>
  private typealias AllWords = SIMD16<UInt64>
#elseif KERNELS_AVX2
  private typealias Words = SIMD4<UInt64>
  private typealias AllWords = SIMD8<UInt64>
#else
  private typealias Words = SIMD2<UInt64>
  private typealias AllWords = SIMD4<UInt64>
#endif

/// The words of one call: four of every lane's block.
private let wordsPerCall = 4 * lanes / 2

/// The words of `lanes / 2` blocks from `first`, in order: Philox of the counter (index low, index
/// high, upper low, upper high).
@inline(__always)
private func philox(first: UInt64, upper: UInt64, key: UInt64) -> AllWords {
  let low = Words(repeating: 0xffff_ffff)
  var indices = Words(repeating: first)
  for lane in 0..<lanes / 2 { indices[lane] &+= UInt64(lane) }
  // Upper halves of the lanes may hold anything: products and the result take the lower ones.
  var (c0, c1) = (indices, upperWords(indices))
  var (c2, c3) = (Words(repeating: upper), Words(repeating: upper &>> 32))
  let (k0, k1) = (UInt32(truncatingIfNeeded: key), UInt32(truncatingIfNeeded: key &>> 32))
  @inline(__always)
  func round(_ number: UInt32) {
    let a = (c0 & low) &* Words(repeating: 0xD251_1F53)
    let b = (c2 & low) &* Words(repeating: 0xCD9E_8D57)
    let (key0, key1) = (k0 &+ number &* 0x9E37_79B9, k1 &+ number &* 0xBB67_AE85)
    c0 = upperWords(b) ^ c1 ^ Words(repeating: UInt64(key0))
    c2 = upperWords(a) ^ c3 ^ Words(repeating: UInt64(key1))
    c1 = b
    c3 = a
  }
  // Not a loop: the compiler would carry the words through it in the order of the result, at the
  // price of six shuffles per round.
  round(0)
  round(1)
  round(2)
  round(3)
  round(4)
  round(5)
  round(6)
  round(7)
  round(8)
  round(9)
  // Each block's first two words beside its last two.
  var words = AllWords()
  words.evenHalf = (c0 & low) | (c1 &<< Words(repeating: 32))
  words.oddHalf = (c2 & low) | (c3 &<< Words(repeating: 32))
  return words
}

@inline(__always)
private func upperWords(_ v: Words) -> Words { v &>> Words(repeating: 32) }

private func words(
  _ blocks: Int, _ first: UInt64, _ upper: UInt64, _ key: UInt64,
  _ words: UnsafeMutablePointer<UInt32>
) {
  let out = UnsafeMutableRawPointer(words)
  let size = MemoryLayout<UInt32>.size
  var i = 0
  while i < 4 * blocks {
    let block = philox(first: first &+ UInt64(i / 4), upper: upper, key: key)
    if i + wordsPerCall <= 4 * blocks {
      (out + i * size).storeBytes(of: block, as: AllWords.self)
    } else {
      withUnsafeBytes(of: block) {
        (out + i * size).copyMemory(from: $0.baseAddress!, byteCount: (4 * blocks - i) * size)
      }
    }
    i += wordsPerCall
  }
}

/// An element is kept if its word - word i % 4 of block i / 4 - is not below the threshold.
private func dropout(
  _ count: Int, _ upper: UInt64, _ key: UInt64, _ threshold: UInt32, _ scale: Float,
  _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>
) {
  // Compared with the sign bit flipped, as the older instruction sets can.
  let flip = IntVector(repeating: Int32.min)
  let limit = IntVector(repeating: Int32(bitPattern: threshold)) ^ flip
  @inline(__always)
  func factors(_ words: IntVector) -> Vector {
    Vector(repeating: scale).replacing(with: 0, where: (words ^ flip) .< limit)
  }
  var i = 0
  while i < count {
    let words = philox(first: UInt64(i / 4), upper: upper, key: key)
    let first = factors(unsafeBitCast(words.lowHalf, to: IntVector.self))
    let second = factors(unsafeBitCast(words.highHalf, to: IntVector.self))
    if i + 2 * lanes <= count {
      let (x0, x1) = (load(x + i), load(x + i + lanes))
      store(x0 * first, y + i)
      store(x1 * second, y + i + lanes)
    } else {
      let rest = count - i
      let whole = rest < lanes ? rest : lanes
      store(load(x + i, count: whole, fill: 0) * first, y + i, count: whole)
      if rest > lanes {
        store(
          load(x + i + lanes, count: rest - lanes, fill: 0) * second, y + i + lanes,
          count: rest - lanes)
      }
    }
    i += 2 * lanes
  }
}
