import Kernels

/// What Adam and its kin remember of gradients: exponential averages of them and of their squares,
/// and how these are corrected for having begun at zero (Kingma & Ba, ICLR 2015, section 3).
struct Moments {
  /// m, the average of g.
  let first: Slab
  /// v, the average of g^2.
  let second: Slab
  private let beta1: Double
  private let beta2: Double
  private let epsilon: Float

  static func settings(epsilon: Double) -> [Setting] {
    // Short of 1, at which an average would stay zero.
    [
      .number("beta1", default: 0.9, in: 0...0.999_999),
      .number("beta2", default: 0.999, in: 0...0.999_999),
      .epsilon(default: epsilon),
    ]
  }

  init(layout: SlabLayout, _ values: SettingValues) {
    first = Slab(layout)
    second = Slab(layout)
    beta1 = values[number: "beta1"]
    beta2 = values[number: "beta2"]
    epsilon = Float(values[number: "epsilon"])
  }

  var states: [OptimizerState] {
    [
      OptimizerState(name: "first-moment", slab: first),
      OptimizerState(name: "second-moment", slab: second),
    ]
  }

  /// - Parameters:
  ///   - step: counted from 1.
  ///   - weightDecay: added to the direction, past the averages.
  func terms(step: Int, weightDecay: Float = 0) -> MomentTerms {
    MomentTerms(
      first: ExponentialAverage(decay: beta1), second: ExponentialAverage(decay: beta2),
      firstCorrection: Float(1 / (1 - power(beta1, step))),
      secondCorrection: Float((1 / (1 - power(beta2, step))).squareRoot()),
      epsilon: epsilon, weightDecay: weightDecay)
  }
}
