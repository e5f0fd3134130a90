import Kernels

/// A function of a batch, with parameters, and its gradient.
///
/// Batches are matrices of one row per sample. A layer's results for a sample may depend on that
/// sample only, or on sums over the whole global batch that `pass.batchSum` has added up; sums over
/// samples follow `pass.shards`. That is what makes a result independent of how many ranks share
/// the work. A layer keeps no memory of its own: what it needs it asks for, and is given with every
/// call.
public protocol Layer: AnyObject {
  /// What it is called in configurations, tensor names and messages.
  var kind: String { get }
  var inputShape: Shape { get }
  var outputShape: Shape { get }
  /// What it learns. None unless implemented.
  var parameters: [Parameter] { get }
  /// What it remembers without learning it, such as running means: saved with the model, and equal
  /// on all ranks. None unless implemented.
  var state: [Parameter] { get }
  /// Multiply-adds of one sample's forward pass; backward has as many by the parameters, and again by
  /// the input. 0 unless implemented: next to nothing, or not worth counting.
  var multiplyAdds: Int { get }

  /// Floats of workspace for batches of up to `rows`. What is written there stays from forward to
  /// backward. None unless implemented.
  func workspaceCount(rows: Int) -> Int
  /// Floats that `memory.packedWeights` takes, at most, where passes use the same weights again. None
  /// unless implemented.
  var packedWeightCount: Int { get }
  /// What kernels need of scratch memory for batches of up to `rows`, cut into `shards` on all ranks
  /// together. None unless implemented.
  func scratch(rows: Int, shards: Int, threads: Int) -> ScratchNeed
  /// Which of forward's matrices backward needs; all unless implemented.
  var backwardReads: BackwardReads { get }
  /// Whether forward's `y` may be its `x`, and backward's `dx` its `dy`. Never unless implemented.
  var inPlace: InPlace { get }
  /// How many numbers each of the sums over the batch has that it asks for in a training pass, forward
  /// and back (`Pass.sumOverBatch`): then it must see the whole batch at once. None unless
  /// implemented.
  var batchSums: [Int] { get }
  /// The elementwise function that the layer is, if it is one of those that other layers can apply
  /// to their own outputs. None unless implemented.
  var activation: Activation? { get }

  /// Computes `y` from `x` (rows x inputShape.count to rows x outputShape.count).
  /// - Throws: what `pass.batchSum` throws.
  func forward(_ x: Matrix, into y: Matrix, memory: LayerMemory, pass: Pass) throws

  /// Writes the gradients of the loss's sum over the pass's samples: by the parameters, to
  /// `memory.gradients` (over what was there), and by the input, to `dx` unless it is nil.
  /// - Parameters:
  ///   - dy: the gradient by the output.
  ///   - x: the input, and `y` the output, of the forward pass: undefined where `backwardReads`
  ///     does without them.
  func backward(
    _ dy: Matrix, x: Matrix, y: Matrix, into dx: Matrix?, memory: LayerMemory, pass: Pass) throws
}

extension Layer {
  public var parameters: [Parameter] { [] }
  public var state: [Parameter] { [] }
  public var multiplyAdds: Int { 0 }
  public func workspaceCount(rows: Int) -> Int { 0 }
  public var packedWeightCount: Int { 0 }
  public func scratch(rows: Int, shards: Int, threads: Int) -> ScratchNeed { ScratchNeed() }
  public var backwardReads: BackwardReads { [.input, .output] }
  public var inPlace: InPlace { .never }
  public var batchSums: [Int] { [] }
  public var activation: Activation? { nil }
}

/// One tensor that a layer learns or remembers.
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

/// What a layer's backward pass needs of its forward pass.
public struct BackwardReads: OptionSet, Sendable {
  public let rawValue: Int
  public init(rawValue: Int) { self.rawValue = rawValue }

  public static let input = BackwardReads(rawValue: 1)
  public static let output = BackwardReads(rawValue: 2)
}

/// Whether a layer's outputs may lie where its inputs are.
public enum InPlace: Sendable {
  case never
  case overwriting
  /// Output and input are the same numbers; only their shape differs.
  case unchanged
}

/// Where a layer's tensors lie.
public struct LayerMemory {
  /// Each of the layer's `parameters`, and each one's gradient.
  public let weights: [UnsafeMutablePointer<Float>]
  public let gradients: [UnsafeMutablePointer<Float>]
  /// Each of the layer's `state`.
  public let state: [UnsafeMutablePointer<Float>]
  /// As many floats as the layer asked for, 64-byte aligned; undefined before the first pass.
  public let workspace: UnsafeMutablePointer<Float>
  /// For passes that use the same weights again.
  public let packedWeights: PackedWeights
  /// The layer's number within the network, by which its random numbers differ from those of other
  /// layers.
  public let number: Int

  public init(
    weights: [UnsafeMutablePointer<Float>], gradients: [UnsafeMutablePointer<Float>],
    state: [UnsafeMutablePointer<Float>], workspace: UnsafeMutablePointer<Float>,
    packedWeights: PackedWeights = PackedWeights(), number: Int
  ) {
    self.weights = weights
    self.gradients = gradients
    self.state = state
    self.workspace = workspace
    self.packedWeights = packedWeights
    self.number = number
  }
}
