import Kernels
import NN

/// Adds up the gradients of a step's passes, layer by layer as backward fills them, in the order of
/// an `AccumulationPlan`: every pass has been written to the planes behind those that wait.
final class GradientAccumulator {
  private let gradients: Slab
  private let kernels: KernelSet
  /// Everything from here on has been filled in this pass.
  private var frontier = 0

  init(_ gradients: Slab, kernels: KernelSet) {
    self.gradients = gradients
    self.kernels = kernels
  }

  /// Backward is about to begin.
  func begin() { frontier = gradients.layout.count }

  /// Backward has filled everything from `offset` to the end. In the last pass, planes are then the
  /// rank's own sums.
  func filled(from offset: Int, in pass: AccumulationPlan.Pass) {
    defer { frontier = offset }
    guard offset < frontier else { return }
    for merge in 0..<pass.merges {
      let plane = pass.plane - merge
      let right = UnsafeBufferPointer(rebasing: gradients.plane(plane)[offset..<frontier])
      kernels.add(right, to: .init(rebasing: gradients.plane(plane - 1)[offset..<frontier]))
    }
  }
}
