import Kernels

/// Stochastic gradient descent with momentum, Nesterov's look ahead and L2 weight decay, as
/// PyTorch's `SGD` defines it: g += weightDecay w; v = momentum v + g; w -= learningRate v or, with
/// Nesterov, learningRate (g + momentum v).
public final class SGD: Optimizer {
  public static let name = "sgd"
  public static let defaultLearningRate = 0.1
  public static let settings: [Setting] = [
    .momentum(default: 0), .flag("nesterov", default: false), .weightDecay(default: 0),
  ]

  public static func fault(in values: SettingValues) -> (setting: String, reason: String)? {
    values[flag: "nesterov"] && values[number: "momentum"] == 0
      ? ("nesterov", "looks ahead along the momentum, and optimizer.momentum is 0") : nil
  }

  private let momentum: Float
  private let nesterov: Bool
  private let weightDecay: Float
  /// v; without momentum there is none.
  private let velocity: Slab?
  public var steps = 0

  public init(layout: SlabLayout, _ values: SettingValues) {
    momentum = Float(values[number: "momentum"])
    nesterov = values[flag: "nesterov"]
    weightDecay = Float(values[number: "weight-decay"])
    velocity = momentum == 0 ? nil : Slab(layout)
  }

  public var states: [OptimizerState] {
    velocity.map { [OptimizerState(name: "velocity", slab: $0)] } ?? []
  }

  public func step(
    _ parameters: Slab, gradients: Slab, _ terms: GradientTerms, learningRate: Float,
    kernels: KernelSet
  ) {
    steps += 1
    var terms = terms
    terms.weightDecay = weightDecay
    let gradients = UnsafeBufferPointer(gradients.tensors)
    if let velocity {
      kernels.descend(
        parameters.tensors, velocity: velocity.tensors, gradients: gradients, terms,
        rate: learningRate, momentum: momentum, nesterov: nesterov)
    } else {
      kernels.descend(parameters.tensors, gradients: gradients, terms, rate: learningRate)
    }
  }
}
