import Kernels

/// Batch normalization (Ioffe & Szegedy, ICML 2015): every channel - the last dimension of a sample -
/// to mean 0 and variance 1, then times a gain and plus a bias that are learned.
///
/// In training, mean and variance are those of the whole global batch, on all ranks: its result does
/// not depend on how many ranks share the batch. In evaluation, they are running means over the
/// steps: r += momentum * (value - r), with the variance of n values divided by n - 1, as PyTorch
/// has it.
final class BatchNorm: Layer {
  static let definition = LayerDefinition(
    "batch-norm", example: "batch-norm, or {batch-norm: {momentum: 0.1}}"
  ) {
    let momentum = Float($0.number("momentum", default: 0.1, in: 0...1))
    let epsilon = Float($0.number("epsilon", default: 1e-5, in: 1e-30...1))
    return { BatchNorm(inputShape: $0, momentum: momentum, epsilon: epsilon) }
  }

  let kind = "batch-norm"
  let inputShape: Shape
  var outputShape: Shape { inputShape }
  let parameters: [Parameter]
  let state: [Parameter]
  let backwardReads: BackwardReads = .input
  let inPlace = InPlace.overwriting
  /// Means, squares, and the gradients of bias and gain.
  var batchSums: [Int] { [channels, channels, 2 * channels] }

  private let channels: Int
  private let momentum: Float
  private let epsilon: Float

  init(inputShape: Shape, momentum: Float, epsilon: Float) {
    self.inputShape = inputShape
    self.momentum = momentum
    self.epsilon = epsilon
    channels = inputShape.channels
    let shape = Shape(channels)
    parameters = [Parameter("gain", shape, .one), Parameter("bias", shape, .zero)]
    state = [
      Parameter("running-mean", shape, .zero), Parameter("running-variance", shape, .one),
    ]
  }

  func workspaceCount(rows: Int) -> Int { 2 * channels }

  func scratch(rows: Int, shards: Int, threads: Int) -> ScratchNeed {
    .batchSums(2 * channels, shards: shards, threads: threads)
  }

  /// The workspace's parts, a float for each channel.
  private struct Workspace {
    let means: UnsafeMutablePointer<Float>
    let scales: UnsafeMutablePointer<Float>

    init(_ memory: LayerMemory, channels: Int) {
      means = memory.workspace
      scales = means + channels
    }
  }

  func forward(_ x: Matrix, into y: Matrix, memory: LayerMemory, pass: Pass) throws {
    let workspace = Workspace(memory, channels: channels)
    switch pass.mode {
    case .training:
      try measure(x.perPosition(channels: channels), workspace, memory: memory, pass: pass)
    case .evaluation:
      for j in 0..<channels {
        workspace.means[j] = memory.state[0][j]
        workspace.scales[j] = 1 / (memory.state[1][j] + epsilon).squareRoot()
      }
    }
    pass.kernels.normalizeColumns(
      x.perPosition(channels: channels), means: workspace.means, scales: workspace.scales,
      gain: memory.weights[0], bias: memory.weights[1], into: y.perPosition(channels: channels))
  }

  /// Mean and scale of the global batch, and what the running means become by them.
  private func measure(
    _ x: Matrix, _ workspace: Workspace, memory: LayerMemory, pass: Pass
  ) throws {
    let count = globalCount(pass)
    let sums = try pass.sumOverBatch(width: channels) { shards, sums in
      pass.kernels.sumRows(x, over: perPosition(shards), into: sums)
    }
    for j in 0..<channels { workspace.means[j] = sums[j] / Float(count) }
    // About the mean, not as a difference of squares: nothing cancels.
    let squares = try pass.sumOverBatch(width: channels) { shards, sums in
      pass.kernels.sumColumnSquares(
        x, means: workspace.means, over: perPosition(shards), into: sums)
    }
    pass.kernels.scales(
      fromSquares: squares, columns: channels, count: count, epsilon: epsilon,
      into: workspace.scales)
    let (means, variances) = (memory.state[0], memory.state[1])
    for j in 0..<channels {
      means[j] += momentum * (workspace.means[j] - means[j])
      variances[j] += momentum * (squares[j] / Float(max(count - 1, 1)) - variances[j])
    }
  }

  func backward(
    _ dy: Matrix, x: Matrix, y: Matrix, into dx: Matrix?, memory: LayerMemory, pass: Pass
  ) throws {
    let workspace = Workspace(memory, channels: channels)
    let (x, dy) = (x.perPosition(channels: channels), dy.perPosition(channels: channels))
    let shards = perPosition(pass.shards)
    pass.kernels.sumColumnProducts(
      x, dy, means: workspace.means, scales: workspace.scales, over: shards,
      into: memory.gradients[0])
    pass.kernels.sumRows(dy, over: shards, into: memory.gradients[1])
    guard let dx else { return }
    // The slab takes this rank's sums, and the input's gradient those of all ranks.
    let sums = try pass.sumOverBatch(width: 2 * channels) { _, sums in
      for plane in 0..<pass.shards.planeCount {
        let offset = pass.shards.planes?.offset(of: plane) ?? 0
        let dgain = sums + plane * 2 * channels
        dgain.update(from: memory.gradients[0] + offset, count: channels)
        (dgain + channels).update(from: memory.gradients[1] + offset, count: channels)
      }
    }
    pass.kernels.normalizeColumnsGradient(
      x, dy, means: workspace.means, scales: workspace.scales, gain: memory.weights[0],
      dgain: sums, dbias: sums + channels, count: globalCount(pass),
      into: dx.perPosition(channels: channels))
  }

  private var positions: Int { inputShape.count / channels }

  /// Values of each channel in the global batch.
  private func globalCount(_ pass: Pass) -> Int { pass.globalRows * positions }

  private func perPosition(_ shards: ShardRows) -> ShardRows {
    positions == 1 ? shards : shards.scaled(by: positions)
  }
}
