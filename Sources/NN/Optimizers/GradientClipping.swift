import Kernels

/// How a gradient is kept from being too large for one step. What is clipped is the mean over the
/// whole batch's samples, before weight decay and L1 are added.
public enum GradientClipping: Equatable, Sendable {
  case none
  /// Every element is clamped to -limit...limit, as by PyTorch's `clip_grad_value_`.
  case value(Double)
  /// A gradient whose norm, over all tensors, is above the limit is shortened to it, as by
  /// PyTorch's `clip_grad_norm_` (Pascanu, Mikolov & Bengio, ICML 2013).
  case norm(Double)

  /// What an optimizer is to make of gradients that are summed over so many samples.
  public func terms(for gradients: Slab, samples: Float, kernels: KernelSet) -> GradientTerms {
    switch self {
    case .none: return GradientTerms(scale: 1 / samples)
    case .value(let limit): return GradientTerms(scale: 1 / samples, limit: Float(limit))
    case .norm(let limit):
      let sum = kernels.sumOfSquares(UnsafeBufferPointer(gradients.tensors))
      let norm = sum.squareRoot() / Double(samples)
      let factor = limit / (norm + 1e-6)
      // A norm that is NaN leaves the scale alone: the slab's padding stays zero, and the elements
      // that are NaN show what happened.
      return GradientTerms(scale: factor < 1 ? Float(factor / Double(samples)) : 1 / samples)
    }
  }
}
