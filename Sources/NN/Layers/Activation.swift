import Kernels

/// An elementwise function that a layer can apply to its outputs while it writes them.
public enum Activation: Equatable, Sendable {
  case relu
}

/// A layer that can take the activation layer behind it into its own forward pass. The outputs are
/// those of the two layers one after the other, bit for bit; backward passes stay apart.
public protocol ActivationFusing: Layer {
  func canFuse(_ activation: Activation) -> Bool

  /// Computes `y = activation(forward(x))`.
  /// - Precondition: `canFuse(activation)`.
  func forward(
    _ x: Matrix, into y: Matrix, then activation: Activation, memory: LayerMemory, pass: Pass)
    throws
}

/// A layer that can take the gradient of the activation layer in front of it into its own passes: what
/// its backward pass then gives is the gradient by the activation's input, that of the two layers
/// one after the other, bit for bit.
public protocol ActivationGradientFusing: Layer {
  func canFuseGradient(of activation: Activation) -> Bool

  /// Computes `y` from an `x` that `activation` has written, in preparation of such a backward pass.
  /// - Precondition: `canFuseGradient(of: activation)`.
  func forward(
    _ x: Matrix, behind activation: Activation, into y: Matrix, memory: LayerMemory, pass: Pass)
    throws
}
