import Kernels

/// Layer-wise adaptive moments for large batches (You et al., ICLR 2020, algorithm 2): Adam's
/// direction with decoupled weight decay, u, scaled for each tensor to the length of its
/// parameters: w -= learningRate |w| / |u| u.
///
/// Where w or u is zero the ratio says nothing and is taken as 1. With `exclude-vectors` it is 1 for
/// every vector, and vectors do not decay.
public final class LAMB: Optimizer {
  public static let name = "lamb"
  public static let defaultLearningRate = 0.001
  public static let settings =
    Moments.settings(epsilon: 1e-6) + [.weightDecay(default: 0.01), .excludeVectors]

  private let moments: Moments
  private let weightDecay: Float
  private let tensors: [LayerwiseTensor]
  public var steps = 0

  public init(layout: SlabLayout, _ values: SettingValues) {
    moments = Moments(layout: layout, values)
    weightDecay = Float(values[number: "weight-decay"])
    tensors = LayerwiseTensor.all(of: layout, values)
  }

  public var states: [OptimizerState] { moments.states }

  public func step(
    _ parameters: Slab, gradients: Slab, _ terms: GradientTerms, learningRate: Float,
    kernels: KernelSet
  ) {
    steps += 1
    let decaying = moments.terms(step: steps, weightDecay: weightDecay)
    let steady = moments.terms(step: steps)
    for tensor in tensors {
      let momentTerms = tensor.isAdapted ? decaying : steady
      let w = parameters.elements(in: tensor.range)
      let (first, second) = (
        moments.first.elements(in: tensor.range), moments.second.elements(in: tensor.range)
      )
      let norms = kernels.lambNorms(
        w, first: first, second: second,
        gradients: UnsafeBufferPointer(gradients.elements(in: tensor.range)), terms, momentTerms)
      let isScaled = tensor.isAdapted && norms.parameters > 0 && norms.direction > 0
      let ratio = isScaled ? norms.parameters / norms.direction : 1
      kernels.lamb(
        w, first: first, second: second, momentTerms, rate: Float(Double(learningRate) * ratio))
    }
  }
}
