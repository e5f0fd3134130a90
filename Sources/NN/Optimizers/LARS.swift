import Kernels

/// Layer-wise adaptive rate scaling (You, Gitman & Ginsburg, arXiv:1708.03888, algorithm 1), for
/// large batches: a tensor's learning rate is that of the run times trustCoefficient |w| / (|g| +
/// weightDecay |w|); then g += weightDecay w; v = momentum v + rate g; w -= v.
///
/// Where w or g is zero the ratio says nothing and is taken as 1: a bias could never leave zero
/// otherwise.
public final class LARS: Optimizer {
  public static let name = "lars"
  public static let defaultLearningRate = 1.0
  public static let settings: [Setting] = [
    .number("trust-coefficient", default: 0.001, in: 0...1e6), .momentum(default: 0.9),
    .weightDecay(default: 0),
  ]

  private let trustCoefficient: Double
  private let momentum: Float
  private let weightDecay: Float
  /// v
  private let velocity: Slab
  private let tensors: [Range<Int>]
  public var steps = 0

  public init(layout: SlabLayout, _ values: SettingValues) {
    trustCoefficient = values[number: "trust-coefficient"]
    momentum = Float(values[number: "momentum"])
    weightDecay = Float(values[number: "weight-decay"])
    velocity = Slab(layout)
    tensors = layout.tensors.map(\.range)
  }

  public var states: [OptimizerState] { [OptimizerState(name: "velocity", slab: velocity)] }

  public func step(
    _ parameters: Slab, gradients: Slab, _ terms: GradientTerms, learningRate: Float,
    kernels: KernelSet
  ) {
    steps += 1
    var decayed = terms
    decayed.weightDecay = weightDecay
    for tensor in tensors {
      let w = parameters.elements(in: tensor)
      let g = UnsafeBufferPointer(gradients.elements(in: tensor))
      let norms = kernels.larsNorms(w, gradients: g, terms)
      let ratio =
        norms.parameters > 0 && norms.direction > 0
        ? trustCoefficient * norms.parameters
          / (norms.direction + Double(weightDecay) * norms.parameters)
        : 1
      kernels.lars(
        w, velocity: velocity.elements(in: tensor), gradients: g, decayed,
        rate: Float(Double(learningRate) * ratio), momentum: momentum)
    }
  }
}
