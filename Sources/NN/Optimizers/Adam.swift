import Kernels

/// Adam (Kingma & Ba, ICLR 2015) with L2 weight decay, as PyTorch's `Adam` defines it: the decay is
/// part of the gradient.
public final class Adam: Optimizer {
  public static let name = "adam"
  public static let defaultLearningRate = 0.001
  public static let settings = Moments.settings(epsilon: 1e-8) + [.weightDecay(default: 0)]

  private let moments: Moments
  private let weightDecay: Float
  public var steps = 0

  public init(layout: SlabLayout, _ values: SettingValues) {
    moments = Moments(layout: layout, values)
    weightDecay = Float(values[number: "weight-decay"])
  }

  public var states: [OptimizerState] { moments.states }

  public func step(
    _ parameters: Slab, gradients: Slab, _ terms: GradientTerms, learningRate: Float,
    kernels: KernelSet
  ) {
    steps += 1
    var terms = terms
    terms.weightDecay = weightDecay
    kernels.adam(
      parameters.tensors, first: moments.first.tensors, second: moments.second.tensors,
      gradients: UnsafeBufferPointer(gradients.tensors), terms, moments.terms(step: steps),
      rate: learningRate)
  }
}
