import Kernels
import NN

/// Adds up the gradients of a step's passes, layer by layer as backward fills them, in the order of
/// an `AccumulationPlan`.
final class GradientAccumulator {
  private let gradients: UnsafeMutableBufferPointer<Float>
  private let kernels: KernelSet
  private let passCount: Int
  /// Sums that wait for their siblings.
  private let sums: [AlignedBuffer]
  /// Everything from here on has been filled in this pass.
  private var frontier = 0

  init(_ gradients: Slab, plan: AccumulationPlan, kernels: KernelSet) {
    self.gradients = gradients.tensors
    self.kernels = kernels
    passCount = plan.passes.count
    sums = (0..<plan.sumCount).map { _ in AlignedBuffer(count: gradients.layout.count) }
  }

  /// Backward is about to begin.
  func begin() { frontier = gradients.count }

  /// Backward has filled everything from `offset` to the end. In the last pass, it is then the sum
  /// over all passes.
  func filled(from offset: Int, in pass: AccumulationPlan.Pass, isLast: Bool) {
    defer { frontier = offset }
    guard passCount > 1, offset < frontier else { return }
    let filled = UnsafeMutableBufferPointer(rebasing: gradients[offset..<frontier])
    for number in (pass.waiting..<pass.waiting + pass.merges).reversed() {
      let sum = UnsafeBufferPointer(rebasing: sums[number].elements[offset..<frontier])
      kernels.add(sum, to: filled)
    }
    if !isLast {
      (sums[pass.waiting].base + offset).update(from: filled.baseAddress!, count: filled.count)
    }
  }
}
