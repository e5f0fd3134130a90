import Testing

@testable import Kernels

/// Kernels that watch over numbers.
struct CheckTests {
  @Test(
    "one element that is not finite is seen wherever it is", arguments: InstructionSet.supported)
  func finite(instructions: InstructionSet) {
    let kernels = KernelSet(instructions)
    for count in sizes {
      var x = randomValues(count, 1)
      // The largest and the smallest numbers are numbers.
      for (i, value) in [
        Float.greatestFiniteMagnitude, -Float.greatestFiniteMagnitude, -0.0, .leastNonzeroMagnitude,
      ]
      .enumerated() where i < count { x[i] = value }
      #expect(x.withUnsafeBufferPointer(kernels.isFinite))
      for i in x.indices {
        for value in [Float.infinity, -Float.infinity, .nan, -Float.nan, .signalingNaN] {
          let kept = x[i]
          x[i] = value
          #expect(!x.withUnsafeBufferPointer(kernels.isFinite), "\(value) at \(i) of \(count)")
          x[i] = kept
        }
      }
    }
  }

  @Test("the hash is that of a plain loop", arguments: InstructionSet.supported)
  func plainHash(instructions: InstructionSet) {
    for count in sizes {
      let x = randomValues(count, 9)
      var state = (0..<64).map { UInt32($0) }
      for (i, value) in x.enumerated() {
        state[i % 64] = (state[i % 64] ^ value.bitPattern) &* 0x9e37_79b1
        state[i % 64] ^= state[i % 64] >> 15
      }
      var expected = UInt64(count) &* 0x9e37_79b9_7f4a_7c15
      for word in state where count > 0 {
        expected = (expected ^ UInt64(word)) &* 0x9e37_79b9_7f4a_7c15
        expected ^= expected >> 32
      }
      let hash = x.withUnsafeBufferPointer { KernelSet(instructions).hash($0) }
      #expect(hash == expected, "\(count)")
    }
  }

  @Test("any flipped bit changes the hash, each to another", arguments: InstructionSet.supported)
  func hashOfOneBit(instructions: InstructionSet) {
    let kernels = KernelSet(instructions)
    for count in [1, 15, 64, 65, 200] {
      let x = randomValues(count, 3)
      let hash = x.withUnsafeBufferPointer { kernels.hash($0) }
      var seen: Set<UInt64> = [hash]
      for i in x.indices {
        for bit in 0..<32 {
          var changed = x
          changed[i] = Float(bitPattern: x[i].bitPattern ^ 1 << UInt32(bit))
          // As bits: a changed number may be NaN.
          seen.insert(changed.withUnsafeBufferPointer { kernels.hash($0) })
        }
      }
      #expect(seen.count == 1 + 32 * count)
    }
  }

  @Test("the hash sees order, count, sign and what came before")
  func hashOfManyChanges() {
    let kernels = KernelSet(.baseline)
    func hash(_ x: [Float], seed: UInt64 = 0) -> UInt64 {
      x.withUnsafeBufferPointer { kernels.hash($0, seed: seed) }
    }
    let x = randomValues(300, 5)
    let variants: [[Float]] = [
      x, x.reversed(), x.map { -$0 }, x + [0], Array(x.dropLast()), x.map { $0.nextUp },
      Array(x[64...] + x[..<64]), [], [0], [-0.0],
    ]
    #expect(Set(variants.map { hash($0) }).count == variants.count)
    #expect(Set((0..<64).map { hash(x, seed: 1 << $0) }).count == 64)
    #expect(Set((0..<64).map { hash([], seed: 1 << $0) }).count == 64)
  }

  @Test(
    "every kernel set has the same hashes, and stays in bounds", arguments: Fences.Side.allCases)
  func bounds(side: Fences.Side) {
    for count in sizes {
      let x = randomValues(count, 7)
      let expected = x.withUnsafeBufferPointer { KernelSet(.baseline).hash($0) }
      for instructions in InstructionSet.supported {
        let kernels = KernelSet(instructions)
        Fences.with(side) { fences in
          let elements = UnsafeBufferPointer(start: fences.input(x), count: count)
          #expect(kernels.hash(elements) == expected)
          #expect(kernels.isFinite(elements))
        }
      }
    }
  }
}
