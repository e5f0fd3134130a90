import Kernels

/// What a parameter is before the first step.
public enum Initializer: Equatable, Sendable {
  case zero
  case one
  /// Uniform in +-sqrt(6 / fanIn) (He, Zhang, Ren & Sun, ICCV 2015): keeps the variance of
  /// activations through layers with ReLU.
  case heUniform(fanIn: Int)

  /// Fills a tensor; the same values for the same seed and `instance`, on every rank.
  /// - Parameter instance: the tensor's number within the network.
  func fill(_ tensor: UnsafeMutableBufferPointer<Float>, seed: UInt64, instance: Int) {
    switch self {
    case .zero:
      tensor.update(repeating: 0)
    case .one:
      tensor.update(repeating: 1)
    case .heUniform(let fanIn):
      RandomStream(seed: seed, purpose: .initialization, instance: instance)
        .fillUniform(tensor, bound: (6 / Float(fanIn)).squareRoot())
    }
  }
}
