import Kernels

/// What a parameter is before the first step.
public enum Initializer: Equatable, Sendable {
  case constant(Float)
  /// Uniform in -bound..<bound.
  case uniform(bound: Float)

  public static let zero = Initializer.constant(0)
  public static let one = Initializer.constant(1)

  /// Uniform in +-sqrt(6 / fanIn) (He, Zhang, Ren & Sun, ICCV 2015): keeps the variance of
  /// activations through layers with ReLU.
  public static func heUniform(fanIn: Int) -> Initializer {
    .uniform(bound: (6 / Float(fanIn)).squareRoot())
  }

  /// Uniform in +-sqrt(6 / (fanIn + fanOut)) (Glorot & Bengio, AISTATS 2010): keeps the variance of
  /// activations and of gradients through layers with tanh.
  public static func glorotUniform(fanIn: Int, fanOut: Int) -> Initializer {
    .uniform(bound: (6 / Float(fanIn + fanOut)).squareRoot())
  }

  /// Uniform in +-sqrt(3 / fanIn) (LeCun, Bottou, Orr & Mueller, 1998): keeps the variance of
  /// activations through layers without an activation function.
  public static func lecunUniform(fanIn: Int) -> Initializer {
    .uniform(bound: (3 / Float(fanIn)).squareRoot())
  }

  /// Fills a tensor; the same values for the same seed and `instance`, on every rank.
  /// - Parameter instance: the tensor's number within the network.
  func fill(_ tensor: UnsafeMutableBufferPointer<Float>, seed: UInt64, instance: Int) {
    switch self {
    case .constant(let value):
      tensor.update(repeating: value)
    case .uniform(let bound):
      RandomStream(seed: seed, purpose: .initialization, instance: instance)
        .fillUniform(tensor, bound: bound)
    }
  }
}

/// How the weights of a layer with many inputs and outputs begin, as configurations name it.
enum WeightInitializer: String, CaseIterable, Sendable {
  case heUniform = "he-uniform"
  case glorotUniform = "glorot-uniform"
  case lecunUniform = "lecun-uniform"

  /// - Parameters:
  ///   - fanIn: inputs of each output.
  ///   - fanOut: outputs that each input goes into.
  func initializer(fanIn: Int, fanOut: Int) -> Initializer {
    switch self {
    case .heUniform: .heUniform(fanIn: fanIn)
    case .glorotUniform: .glorotUniform(fanIn: fanIn, fanOut: fanOut)
    case .lecunUniform: .lecunUniform(fanIn: fanIn)
    }
  }
}
