import Testing

@testable import Kernels

struct SubnormalNumberTests {
  private struct Planted: Error {}

  /// The velocity of parameters without gradients, after a step that leaves 9/10 of it.
  private func decayed(_ velocity: [Float], _ kernels: KernelSet) -> [Float] {
    var velocity = velocity
    var parameters = [Float](repeating: 1, count: velocity.count)
    let gradients = [Float](repeating: 0, count: velocity.count)
    parameters.withUnsafeMutableBufferPointer { w in
      velocity.withUnsafeMutableBufferPointer { v in
        gradients.withUnsafeBufferPointer { g in
          kernels.descend(
            w, velocity: v, gradients: g, GradientTerms(), rate: 0.1, momentum: 0.9,
            nesterov: false)
        }
      }
    }
    return velocity
  }

  /// Where IEEE 754 rounds to, the decay of momentum has ended.
  private let stuck = 4 * Float.leastNonzeroMagnitude

  @Test(
    "they are zero where they are flushed, on all threads, and numbers there are elsewhere",
    arguments: InstructionSet.supported, [1, 2, 5])
  func flushed(instructions: InstructionSet, threads: Int) throws {
    let kernels = KernelSet(instructions, threads: threads)
    kernels.dividesLittleWork = true
    // Both that are to be flushed: an operand, and a result of normal operands.
    for value in [stuck, Float.leastNormalMagnitude] {
      let velocity = [Float](repeating: value, count: 1003)
      let kept = decayed(velocity, kernels)
      #expect(kept.allSatisfy { $0.isSubnormal })
      for _ in 0..<3 {
        #expect(flushingSubnormals { decayed(velocity, kernels) }.allSatisfy { $0 == 0 })
        #expect(decayed(velocity, kernels) == kept)
      }
    }
    #expect(decayed([stuck], kernels) == [stuck])
  }

  @Test("an error takes the mode back, and an inner call leaves it to the outer one")
  func nested() {
    let kernels = KernelSet(.baseline)
    #expect(throws: Planted.self) { try flushingSubnormals { throw Planted() } }
    #expect(decayed([stuck], kernels) == [stuck])
    flushingSubnormals {
      flushingSubnormals {}
      #expect(decayed([stuck], kernels) == [0])
    }
    #expect(decayed([stuck], kernels) == [stuck])
  }
}
