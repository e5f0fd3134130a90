import Kernels

/// Stochastic gradient descent with momentum and L2 weight decay, as PyTorch's `SGD` defines it:
/// g += weightDecay w; v = momentum v + g; w -= learningRate v.
public final class SGD {
  public let momentum: Float
  public let weightDecay: Float
  /// v, in the parameters' layout.
  public let velocity: Slab

  public init(layout: SlabLayout, momentum: Float, weightDecay: Float) {
    self.momentum = momentum
    self.weightDecay = weightDecay
    velocity = Slab(layout)
  }

  /// One update.
  /// - Parameter gradientScale: what the gradients are multiplied by first: 1 / samples turns a sum
  ///   into a mean.
  public func step(
    _ parameters: Slab, gradients: Slab, gradientScale: Float, learningRate: Float,
    kernels: KernelSet
  ) {
    kernels.sgd(
      parameters: parameters.tensors, velocity: velocity.tensors,
      gradients: UnsafeBufferPointer(gradients.tensors), gradientScale: gradientScale,
      learningRate: learningRate, momentum: momentum, weightDecay: weightDecay)
  }
}
