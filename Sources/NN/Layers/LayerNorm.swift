import Kernels

/// Layer normalization (Ba, Kiros & Hinton, 2016): the numbers along the last dimension to mean 0 and
/// variance 1, then times a gain and plus a bias that are learned.
final class LayerNorm: Layer {
  static let definition = LayerDefinition(
    "layer-norm", example: "layer-norm, or {layer-norm: {epsilon: 1e-5}}"
  ) {
    let epsilon = Float($0.number("epsilon", default: 1e-5, in: 1e-30...1))
    return { LayerNorm(inputShape: $0, epsilon: epsilon) }
  }

  let kind = "layer-norm"
  let inputShape: Shape
  var outputShape: Shape { inputShape }
  let parameters: [Parameter]
  let backwardReads: BackwardReads = .input
  let inPlace = InPlace.overwriting

  private let channels: Int
  private let epsilon: Float

  init(inputShape: Shape, epsilon: Float) {
    self.inputShape = inputShape
    self.epsilon = epsilon
    channels = inputShape.channels
    parameters = [
      Parameter("gain", Shape(channels), .one), Parameter("bias", Shape(channels), .zero),
    ]
  }

  private var positions: Int { inputShape.count / channels }

  /// A mean and a scale for each position of each sample.
  func workspaceCount(rows: Int) -> Int { 2 * rows * positions }

  func scratch(rows: Int, shards: Int, threads: Int) -> ScratchNeed {
    .columnSums(channels, shards: shards, threads: threads)
  }

  func forward(_ x: Matrix, into y: Matrix, memory: LayerMemory, pass: Pass) {
    let x = x.perPosition(channels: channels)
    pass.kernels.normalizeRows(
      x, epsilon: epsilon, gain: memory.weights[0], bias: memory.weights[1],
      into: y.perPosition(channels: channels), means: memory.workspace,
      scales: memory.workspace + x.rows)
  }

  func backward(
    _ dy: Matrix, x: Matrix, y: Matrix, into dx: Matrix?, memory: LayerMemory, pass: Pass
  ) {
    let (x, dy) = (x.perPosition(channels: channels), dy.perPosition(channels: channels))
    let (means, scales) = (memory.workspace, memory.workspace + x.rows)
    let shards = positions == 1 ? pass.shards : pass.shards.scaled(by: positions)
    pass.kernels.sumRowProducts(
      x, dy, means: means, scales: scales, over: shards, into: memory.gradients[0])
    pass.kernels.sumRows(dy, over: shards, into: memory.gradients[1])
    guard let dx else { return }
    pass.kernels.normalizeRowsGradient(
      x, dy, means: means, scales: scales, gain: memory.weights[0],
      into: dx.perPosition(channels: channels))
  }
}
