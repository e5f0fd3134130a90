import Kernels

extension KernelCase {
  /// Passes over numbers that change none of them, in the cache and in memory.
  static func checks(_ sizes: KernelSizes) -> [KernelCase] {
    sizes.counts(bytesPerIndex: 4).flatMap { count in
      [
        check("isFinite", count) { kernels, x in
          kernels.isFinite(x) ? 1 : 0
        } expected: { _ in
          1
        },
        // The upper bits, which a Double holds.
        check("hash", count) { kernels, x in
          Double(kernels.hash(x) >> 11)
        } expected: {
          Double(hash($0) >> 11)
        },
      ]
    }
  }

  private static func check(
    _ kernel: String, _ count: Int,
    call: @escaping (KernelSet, UnsafeBufferPointer<Float>) -> Double,
    expected: @escaping (UnsafeBufferPointer<Float>) -> Double
  ) -> KernelCase {
    KernelCase(
      group: .check, kernel: kernel, shape: "\(count)", bytes: 4 * count, footprint: 4 * count
    ) { kernels in
      let x = Operand<Float>(count, seed: 1)
      let y = Operand<Double>(1) { _ in .nan }
      return PreparedKernel(
        call: { y.base[0] = call(kernels, x.readOnly) }, count: 1, result: { y.base[$0] }
      ) { _ in .exactly(expected(x.readOnly)) }
    }
  }

  /// Element by element.
  private static func hash(_ x: UnsafeBufferPointer<Float>) -> UInt64 {
    var words = (0..<64).map { UInt32($0) }
    for (i, element) in x.enumerated() {
      let mixed = (words[i % 64] ^ element.bitPattern) &* 0x9e37_79b1
      words[i % 64] = mixed ^ mixed >> 15
    }
    return words.reduce(UInt64(x.count) &* 0x9e37_79b9_7f4a_7c15) {
      let mixed = ($0 ^ UInt64($1)) &* 0x9e37_79b9_7f4a_7c15
      return mixed ^ mixed >> 32
    }
  }
}
