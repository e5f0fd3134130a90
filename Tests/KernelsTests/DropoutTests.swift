import Testing

@testable import Kernels

struct DropoutTests {
  private func words(
    _ instructions: InstructionSet, blocks: Int, first: UInt64, upper: UInt64, key: UInt64
  ) -> [UInt32] {
    var words = [UInt32](repeating: 0, count: 4 * blocks)
    KernelSet(instructions).table.random.words(blocks, first, upper, key, &words)
    return words
  }

  @Test(
    "Philox gives the published words", arguments: InstructionSet.supported,
    RandomStreamTests.published)
  func published(
    instructions: InstructionSet, vector: (SIMD4<UInt32>, SIMD2<UInt32>, SIMD4<UInt32>)
  ) {
    let (counter, key, expected) = vector
    let result = words(
      instructions, blocks: 1, first: UInt64(counter.x) | UInt64(counter.y) << 32,
      upper: UInt64(counter.z) | UInt64(counter.w) << 32,
      key: UInt64(key.x) | UInt64(key.y) << 32)
    #expect(result == (0..<4).map { expected[$0] })
  }

  /// Blocks across 2^32, where the second word of the counter begins to count.
  @Test(
    "blocks in vectors are the blocks one by one", arguments: InstructionSet.supported,
    [0, 1, 0xffff_fffb, UInt64.max - 40])
  func words(instructions: InstructionSet, first: UInt64) {
    for blocks in [0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 31] {
      let (upper, key): (UInt64, UInt64) = (0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210)
      let result = words(instructions, blocks: blocks, first: first, upper: upper, key: key)
      let expected = (0..<UInt64(blocks)).flatMap { block -> [UInt32] in
        let index = first + block
        let words = RandomStream.philox(
          counter: SIMD4(
            UInt32(truncatingIfNeeded: index), UInt32(truncatingIfNeeded: index >> 32),
            0x89ab_cdef, 0x0123_4567),
          key: SIMD2(0x7654_3210, 0xfedc_ba98))
        return (0..<4).map { words[$0] }
      }
      #expect(difference(result, expected) == nil)
    }
  }

  private func dropout(_ x: Grid, _ mask: DropoutMask, first: Int, _ kernels: KernelSet) -> Grid {
    x.read { x in
      Grid(rows: x.rows, columns: x.columns) {
        kernels.dropout(x, mask: mask, firstSample: first, into: $0)
      }
    }
  }

  @Test(
    "an element is dropped by its word, kept ones are scaled", arguments: InstructionSet.supported,
    sizes)
  func elements(instructions: InstructionSet, columns: Int) {
    let kernels = KernelSet(instructions)
    let x = Grid(rows: 3, columns: columns, random: 1)
    let mask = DropoutMask(seed: 5, layer: 2, step: 1 << 33, rate: 0.3)
    let y = dropout(x, mask, first: 100, kernels)
    let key = RandomStream(seed: 5, purpose: .dropout, instance: 2).block(1 << 33)
    for i in 0..<3 {
      for j in 0..<columns {
        let words = RandomStream.philox(
          counter: SIMD4(UInt32(j / 4), 0, UInt32(100 + i), 0), key: SIMD2(key.x, key.y))
        let isDropped = Double(words[j % 4]) < Double(Float(0.3)) * 0x1p32
        let value = x.values[i * columns + j]
        #expect(y.values[i * columns + j] == (isDropped ? 0 : value * (1 / (1 - 0.3))))
      }
    }
    let inPlace = Grid(rows: 3, columns: columns) {
      $0.fill(x)
      kernels.dropout($0, mask: mask, firstSample: 100, into: $0)
    }
    #expect(inPlace.bits == y.bits)
    // A sample's mask does not depend on who else is in the batch.
    for i in 0..<3 {
      #expect(
        dropout(x.part(i..<i + 1), mask, first: 100 + i, kernels).bits
          == y.part(i..<i + 1).bits)
    }
  }

  @Test("every kernel set drops the same elements")
  func sameMask() {
    let x = Grid(rows: 4, columns: 1009, random: 1)
    let mask = DropoutMask(seed: 1, layer: 0, step: 7, rate: 0.5)
    let all = InstructionSet.supported.map { dropout(x, mask, first: 0, KernelSet($0)).bits }
    #expect(all.allSatisfy { $0 == all[0] })
  }

  /// Of n elements, n rate are dropped with a deviation of sqrt(n rate (1 - rate)); five of them is
  /// one run in a million, and the seed is fixed.
  @Test("the share of dropped elements is the rate", arguments: [Float(0), 0.1, 0.5, 0.9])
  func share(rate: Float) {
    let count = 100_000
    let x = Grid(rows: 10, columns: count / 10, [Float](repeating: 1, count: count))
    let mask = DropoutMask(seed: 3, layer: 1, step: 0, rate: rate)
    let y = dropout(x, mask, first: 0, KernelSet(.baseline))
    let dropped = Double(y.values.count { $0 == 0 })
    let (n, p) = (Double(count), Double(rate))
    #expect((dropped - n * p).magnitude <= 5 * (n * p * (1 - p)).squareRoot())
    #expect(y.values.allSatisfy { $0 == 0 || $0 == 1 / (1 - rate) })
  }

  @Test("masks of other seeds, layers, steps and samples are others")
  func masksDiffer() {
    let x = Grid(rows: 1, columns: 256, [Float](repeating: 1, count: 256))
    var masks: Set<[UInt32]> = []
    for seed in [0, 1] as [UInt64] {
      for layer in [0, 1] {
        for step in [0, 1, 2] {
          let mask = DropoutMask(seed: seed, layer: layer, step: step, rate: 0.5)
          for sample in [0, 1, 1 << 32] {
            masks.insert(dropout(x, mask, first: sample, KernelSet(.baseline)).bits)
          }
        }
      }
    }
    #expect(masks.count == 2 * 2 * 3 * 3)
  }

  @Test("NaN comes through, dropped or not", arguments: InstructionSet.supported)
  func nonFinite(instructions: InstructionSet) {
    let x = Grid(rows: 1, columns: 40, [Float](repeating: .nan, count: 40))
    let mask = DropoutMask(seed: 1, layer: 0, step: 0, rate: 0.5)
    #expect(dropout(x, mask, first: 0, KernelSet(instructions)).isAllNaN)
  }
}
