import Kernels

/// Layer-wise adaptive rate scaling (You, Gitman & Ginsburg, arXiv:1708.03888, algorithm 1), for
/// large batches: a tensor's learning rate is that of the run times trustCoefficient |w| / (|g| +
/// weightDecay |w|); then g += weightDecay w; v = momentum v + rate g; w -= v.
///
/// Where w or g is zero the ratio says nothing and is taken as 1: a bias could never leave zero
/// otherwise. With `exclude-vectors` it is 1 for every vector, and vectors do not decay.
public final class LARS: Optimizer {
  public static let name = "lars"
  public static let defaultLearningRate = 1.0
  public static let settings: [Setting] = [
    .number("trust-coefficient", default: 0.001, in: 0...1e6), .momentum(default: 0.9),
    .weightDecay(default: 0), .excludeVectors,
  ]

  private let trustCoefficient: Double
  private let momentum: Float
  private let weightDecay: Float
  /// v
  private let velocity: Slab
  private let tensors: [LayerwiseTensor]
  public var steps = 0

  public init(layout: SlabLayout, _ values: SettingValues) {
    trustCoefficient = values[number: "trust-coefficient"]
    momentum = Float(values[number: "momentum"])
    weightDecay = Float(values[number: "weight-decay"])
    velocity = Slab(layout)
    tensors = LayerwiseTensor.all(of: layout, values)
  }

  public var states: [OptimizerState] { [OptimizerState(name: "velocity", slab: velocity)] }

  public func step(
    _ parameters: Slab, gradients: Slab, _ terms: GradientTerms, learningRate: Float,
    kernels: KernelSet
  ) {
    steps += 1
    for tensor in tensors {
      let w = parameters.elements(in: tensor.range)
      let g = UnsafeBufferPointer(gradients.elements(in: tensor.range))
      var (terms, ratio) = (terms, 1.0)
      if tensor.isAdapted {
        let norms = kernels.larsNorms(w, gradients: g, terms)
        if norms.parameters > 0 && norms.direction > 0 {
          ratio =
            trustCoefficient * norms.parameters
            / (norms.direction + Double(weightDecay) * norms.parameters)
        }
        terms.weightDecay = weightDecay
      }
      kernels.lars(
        w, velocity: velocity.elements(in: tensor.range), gradients: g, terms,
        rate: Float(Double(learningRate) * ratio), momentum: momentum)
    }
  }
}
