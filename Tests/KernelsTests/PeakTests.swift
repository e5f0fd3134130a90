import Kernels
import Testing

/// The loop that measures how fast arithmetic can be.
struct PeakTests {
  @Test(
    "it makes every multiply-add it says", arguments: InstructionSet.supported, [0, 1, 2, 1000])
  func steps(set: InstructionSet, steps: Int) {
    let kernels = KernelSet(set)
    let buffer = AlignedBuffer(count: kernels.peakCount)
    // Integers below 2^24: exact, fused or not.
    for i in 0..<buffer.count { buffer.base[i] = Float(i - 20) * 1024 }
    let start = Array(buffer.elements)
    kernels.repeatMultiplyAdd(buffer.elements, factor: -1, addend: 3, steps: steps)
    for i in 0..<buffer.count {
      #if arch(arm64)
        #expect(buffer.base[i] == start[i] - Float(3 * steps))
      #else
        #expect(buffer.base[i] == (steps.isMultiple(of: 2) ? start[i] : 3 - start[i]))
      #endif
    }
    for i in 0..<buffer.count { buffer.base[i] = Float(i) }
    kernels.repeatMultiplyAdd(buffer.elements, factor: 1, addend: 2, steps: steps)
    for i in 0..<buffer.count { #expect(buffer.base[i] == Float(i + 2 * steps)) }
  }
}
