import Kernels

/// RMSprop (Tieleman & Hinton, 2012; centered: Graves, 2013) with momentum and L2 weight decay, as
/// PyTorch's `RMSprop` defines it: s = alpha s + (1 - alpha) g^2; b = momentum b + g / (sqrt(s) +
/// epsilon); w -= learningRate b. Centered, s gives way to s - a^2, where a averages g as s does
/// g^2.
public final class RMSprop: Optimizer {
  public static let name = "rmsprop"
  public static let defaultLearningRate = 0.01
  public static let settings: [Setting] = [
    .number("alpha", default: 0.99, in: 0...1), .epsilon(default: 1e-8), .momentum(default: 0),
    .flag("centered", default: false), .weightDecay(default: 0),
  ]

  private let average: ExponentialAverage
  private let epsilon: Float
  private let momentum: Float
  private let weightDecay: Float
  /// s
  private let squares: Slab
  /// a, if centered.
  private let averages: Slab?
  /// b, if there is momentum.
  private let velocity: Slab?
  public var steps = 0

  public init(layout: SlabLayout, _ values: SettingValues) {
    average = ExponentialAverage(decay: values[number: "alpha"])
    epsilon = Float(values[number: "epsilon"])
    momentum = Float(values[number: "momentum"])
    weightDecay = Float(values[number: "weight-decay"])
    squares = Slab(layout)
    averages = values[flag: "centered"] ? Slab(layout) : nil
    velocity = momentum == 0 ? nil : Slab(layout)
  }

  public var states: [OptimizerState] {
    [("square-average", squares), ("gradient-average", averages), ("velocity", velocity)]
      .compactMap { name, slab in slab.map { OptimizerState(name: name, slab: $0) } }
  }

  public func step(
    _ parameters: Slab, gradients: Slab, _ terms: GradientTerms, learningRate: Float,
    kernels: KernelSet
  ) {
    steps += 1
    var terms = terms
    terms.weightDecay = weightDecay
    kernels.rmsprop(
      parameters.tensors, squares: squares.tensors, averages: averages?.tensors,
      velocity: velocity?.tensors, gradients: UnsafeBufferPointer(gradients.tensors), terms,
      average: average, epsilon: epsilon, momentum: momentum, rate: learningRate)
  }
}
