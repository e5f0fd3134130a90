import Kernels

/// An activation function: y = f(x), elementwise.
final class Elementwise: Layer {
  /// Forward and backward of one function.
  struct Function: Sendable {
    var forward: @Sendable (KernelSet, _ x: Matrix, _ y: Matrix) -> Void
    /// `dx` from `dy` and, as `reads` says, x or y.
    var backward: @Sendable (KernelSet, _ value: Matrix, _ dy: Matrix, _ dx: Matrix) -> Void
    /// What backward reads: x or y.
    var reads: BackwardReads
  }

  let kind: String
  let inputShape: Shape
  var outputShape: Shape { inputShape }
  var backwardReads: BackwardReads { function.reads }
  let inPlace = InPlace.overwriting
  let activation: Activation?

  private let function: Function

  init(_ kind: String, _ function: Function, inputShape: Shape, activation: Activation? = nil) {
    self.kind = kind
    self.function = function
    self.inputShape = inputShape
    self.activation = activation
  }

  func forward(_ x: Matrix, into y: Matrix, memory: LayerMemory, pass: Pass) {
    function.forward(pass.kernels, x, y)
  }

  func backward(
    _ dy: Matrix, x: Matrix, y: Matrix, into dx: Matrix?, memory: LayerMemory, pass: Pass
  ) {
    guard let dx else { return }
    function.backward(pass.kernels, function.reads == .input ? x : y, dy, dx)
  }

  /// y = max(x, 0).
  static let relu = definition(
    "relu", activation: .relu,
    Function(
      forward: { $0.relu($1, into: $2) },
      backward: { $0.reluGradient($1, $2, into: $3) }, reads: .output))

  /// y = x where x >= 0, else slope * x (Maas, Hannun & Ng, 2013).
  static let leakyReLU = LayerDefinition(
    "leaky-relu", main: "slope", example: "leaky-relu, or {leaky-relu: 0.1}"
  ) {
    let slope = Float($0.number("slope", default: 0.01, in: 0...1))
    let function = Function(
      forward: { $0.leakyReLU($1, slope: slope, into: $2) },
      // The output has the input's sign.
      backward: { $0.leakyReLUGradient($1, $2, slope: slope, into: $3) }, reads: .output)
    return { Elementwise("leaky-relu", function, inputShape: $0) }
  }

  /// y = x P(x), P the distribution of a standard normal variable (Hendrycks & Gimpel, 2016), or its
  /// approximation by tanh.
  static let gelu = LayerDefinition("gelu", example: "gelu, or {gelu: {approximate: tanh}}") {
    let function =
      switch $0.choice("approximate", default: GELUApproximation.none) {
      case .none:
        Function(
          forward: { $0.gelu($1, into: $2) },
          backward: { $0.geluGradient($1, $2, into: $3) }, reads: .input)
      case .tanh:
        Function(
          forward: { $0.geluTanh($1, into: $2) },
          backward: { $0.geluTanhGradient($1, $2, into: $3) }, reads: .input)
      }
    return { Elementwise("gelu", function, inputShape: $0) }
  }

  /// Named as PyTorch names them.
  private enum GELUApproximation: String, CaseIterable {
    case none, tanh
  }

  /// y = 1 / (1 + e^-x).
  static let sigmoid = definition(
    "sigmoid",
    Function(
      forward: { $0.sigmoid($1, into: $2) },
      backward: { $0.sigmoidGradient($1, $2, into: $3) }, reads: .output))

  static let tanh = definition(
    "tanh",
    Function(
      forward: { $0.tanh($1, into: $2) },
      backward: { $0.tanhGradient($1, $2, into: $3) }, reads: .output))

  private static func definition(
    _ name: String, activation: Activation? = nil, _ function: Function
  ) -> LayerDefinition {
    LayerDefinition(name, example: name) { _ in
      { Elementwise(name, function, inputShape: $0, activation: activation) }
    }
  }
}
