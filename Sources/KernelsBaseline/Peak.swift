import CKernels

// As many chains of multiply-adds as keep two units busy while each waits for its last result: up
// to seven cycles where a multiply-add is a multiplication and an addition. Chains, factor and
// addend fill the 16 registers of SSE and AVX2. CPUs with NEON have up to four units: as many
// chains as a tile of a product.
#if arch(arm64)
  private typealias Chains = InlineArray<24, Vector>
  private let chainCount = 24
#else
  private typealias Chains = InlineArray<14, Vector>
  private let chainCount = 14
#endif

func peakTable() -> CPeak {
  CPeak(count: chainCount * lanes, multiplyAdd: repeatMultiplyAdd)
}

func repeatMultiplyAdd(
  _ steps: Int, _ factor: Float, _ addend: Float, _ x: UnsafeMutablePointer<Float>
) {
  let a = Vector(repeating: factor)
  let b = Vector(repeating: addend)
  // Spelled out: InlineArray(repeating:) may stay a call, and the array in memory.
  let z = Vector(repeating: 0)
  #if arch(arm64)
    var chains: Chains = [
      z, z, z, z, z, z, z, z, z, z, z, z, z, z, z, z, z, z, z, z, z, z, z, z,
    ]
  #else
    var chains: Chains = [z, z, z, z, z, z, z, z, z, z, z, z, z, z]
  #endif
  for i in 0..<chainCount { chains[i] = load(x + i * lanes) }
  for _ in 0..<steps {
    #if arch(arm64)
      // NEON's instruction writes its result over what it adds to: that has to be the chain.
      for i in 0..<chainCount { chains[i] = multiplyAdd(chains[i], a, b) }
    #else
      for i in 0..<chainCount { chains[i] = multiplyAdd(b, chains[i], a) }
    #endif
  }
  for i in 0..<chainCount { store(chains[i], x + i * lanes) }
}
