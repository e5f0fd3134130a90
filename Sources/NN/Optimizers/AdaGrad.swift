import Kernels

/// AdaGrad (Duchi, Hazan & Singer, JMLR 2011) with L2 weight decay, as PyTorch's `Adagrad` defines
/// it: s += g^2; w -= learningRate g / (sqrt(s) + epsilon).
public final class AdaGrad: Optimizer {
  public static let name = "adagrad"
  public static let defaultLearningRate = 0.01
  public static let settings: [Setting] = [.epsilon(default: 1e-10), .weightDecay(default: 0)]

  private let epsilon: Float
  private let weightDecay: Float
  /// s
  private let squares: Slab
  public var steps = 0

  public init(layout: SlabLayout, _ values: SettingValues) {
    epsilon = Float(values[number: "epsilon"])
    weightDecay = Float(values[number: "weight-decay"])
    squares = Slab(layout)
  }

  public var states: [OptimizerState] { [OptimizerState(name: "square-sum", slab: squares)] }

  public func step(
    _ parameters: Slab, gradients: Slab, _ terms: GradientTerms, learningRate: Float,
    kernels: KernelSet
  ) {
    steps += 1
    var terms = terms
    terms.weightDecay = weightDecay
    kernels.adagrad(
      parameters.tensors, squares: squares.tensors,
      gradients: UnsafeBufferPointer(gradients.tensors), terms, epsilon: epsilon,
      rate: learningRate)
  }
}
