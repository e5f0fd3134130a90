import Kernels

extension KernelCase {
  /// Random words in the cache, and what is dropped by them, in the cache and in memory.
  static func randoms(_ sizes: KernelSizes) -> [KernelCase] {
    [words(sizes.cache / 4 / 16 * 16)] + sizes.counts(bytesPerIndex: 8).map(dropout)
  }

  private static func words(_ count: Int) -> KernelCase {
    KernelCase(
      group: .random, kernel: "words", shape: "\(count)", bytes: 4 * count, footprint: 4 * count
    ) { kernels in
      let stream = RandomStream(seed: 1, purpose: .dropout, instance: 2)
      let y = Operand<UInt32>(count) { _ in 0 }
      return PreparedKernel(
        call: { kernels.words(of: stream, from: 3, into: y.elements) }, count: count,
        result: { Double(y.base[$0]) }
      ) { .exactly(Double(stream.block(3 + UInt64($0 / 4))[$0 % 4])) }
    }
  }

  private static func dropout(_ count: Int) -> KernelCase {
    KernelCase(
      group: .random, kernel: "dropout", shape: "\(count)", bytes: 8 * count, footprint: 8 * count
    ) { kernels in
      let mask = DropoutMask(seed: 1, layer: 2, step: 3, rate: 0.5)
      let x = Operand<Float>(count, seed: 1, in: 1...2)
      let y = Operand<Float>(results: count)
      return PreparedKernel(
        call: {
          kernels.dropout(x.matrix(1, count), mask: mask, firstSample: 4, into: y.matrix(1, count))
        }, count: count, result: { Double(y.base[$0]) }
      ) { .exactly(mask.keeps($0, of: 4) ? 2 * Double(x.base[$0]) : 0) }
    }
  }
}
