import Kernels

/// Adam with decoupled weight decay (Loshchilov & Hutter, ICLR 2019), as PyTorch's `AdamW` defines
/// it: parameters shrink by learningRate * weightDecay of themselves, whatever the gradient.
public final class AdamW: Optimizer {
  public static let name = "adamw"
  public static let defaultLearningRate = 0.001
  public static let settings = Moments.settings(epsilon: 1e-8) + [.weightDecay(default: 0.01)]

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
    kernels.adam(
      parameters.tensors, first: moments.first.tensors, second: moments.second.tensors,
      gradients: UnsafeBufferPointer(gradients.tensors), terms,
      moments.terms(step: steps, weightDecay: weightDecay), rate: learningRate)
  }
}
