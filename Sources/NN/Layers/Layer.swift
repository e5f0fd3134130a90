import Kernels

/// A step of a network: a function of a batch, with parameters, and its gradient.
///
/// Batches are matrices of one row per sample. A layer's results for a sample may depend on that
/// sample only, and sums over samples follow `pass.shards`: that is what makes a result independent
/// of how many ranks share the work.
public protocol Layer: AnyObject {
  /// What it is called in configurations, tensor names and messages.
  var kind: String { get }
  var inputShape: Shape { get }
  var outputShape: Shape { get }
  var parameters: [Parameter] { get }

  /// Computes `y` from `x` (rows x inputShape.count to rows x outputShape.count).
  /// - Parameter weights: where each of `parameters` lies.
  func forward(
    _ x: Matrix, into y: Matrix, weights: [UnsafeMutablePointer<Float>], pass: Pass)

  /// Writes the gradients of the loss's sum over the pass's samples: by the parameters, to
  /// `gradients` (over what was there), and by the input, to `dx` unless it is nil.
  /// - Parameters:
  ///   - dy: the gradient by the output.
  ///   - x: the input, and `y` the output, of the forward pass.
  func backward(
    _ dy: Matrix, x: Matrix, y: Matrix, into dx: Matrix?, weights: [UnsafeMutablePointer<Float>],
    gradients: [UnsafeMutablePointer<Float>], pass: Pass)
}

/// One tensor that a layer learns.
public struct Parameter: Sendable {
  /// Within the layer, such as `weight`.
  public var name: String
  public var shape: Shape
  public var initializer: Initializer

  public init(_ name: String, _ shape: Shape, _ initializer: Initializer) {
    self.name = name
    self.shape = shape
    self.initializer = initializer
  }
}

/// What one forward and backward pass works with.
public struct Pass {
  public let kernels: KernelSet
  /// Which rows are which shard's.
  public let shards: ShardRows

  public init(kernels: KernelSet, shards: ShardRows) {
    self.kernels = kernels
    self.shards = shards
  }
}
