import Kernels
import Testing

@testable import NN

struct NetworkTests {
  static let models =
    NetworkGradientTests.models + [
      // Wider and deeper than one block of the matrix product, which then holds no copy of all its
      // operands.
      NetworkGradientTests.Model(
        features: 20,
        layers: [
          .dense(units: 300), .relu, .dense(units: 2100), .dense(units: 290), .relu,
          .dense(units: 10),
        ]),
      // Pooling that makes the gradient of the ReLU in front of it, and some that cannot.
      NetworkGradientTests.Model(
        features: 100, image: Shape(10, 10, 1),
        layers: [
          convolution(filters: 3), .relu, pooling(2), convolution(filters: 17), .relu, pooling(2),
          .dense(units: 5),
        ]),
      NetworkGradientTests.Model(
        features: 98, image: Shape(7, 7, 2),
        layers: [
          convolution(filters: 4), .relu, .residual([pooling(2)], shortcut: [pooling(2)]), .relu,
          pooling(2), .dense(units: 5), .relu, .dense(units: 4),
        ]),
      NetworkGradientTests.Model(
        features: 72, image: Shape(6, 6, 2),
        layers: [convolution(filters: 4), .relu, pooling(3), .relu, .dense(units: 4)]),
    ]

  private static func convolution(filters: Int) -> LayerSpecification {
    try! LayerSpecification(
      "conv", ["filters": RawSetting(.integer(filters)), "kernel": 3, "padding": "same"])
  }

  private static func pooling(_ size: Int) -> LayerSpecification {
    try! LayerSpecification("max-pool", RawSetting(.integer(size)))
  }

  /// The oracle gives every value and every gradient a memory of its own and calls layer by layer,
  /// so that a network that overwrites what it still needs, or fuses what is not the same, shows.
  @Test("a network is its layers, one after the other, bit for bit", arguments: models)
  func layersByHand(model: NetworkGradientTests.Model) throws {
    let kernels = KernelSet(InstructionSet.supported.last!)
    let network = try Network(
      model.layers, inputShape: model.inputShape, maximumRows: 13)
    network.initialize(seed: 2)
    let outputs = network.outputShape.count
    let batch = SampleBatch(rows: 13, features: model.features, outputs: outputs, random: 1)
    let pass = Pass(
      kernels: kernels, shards: ShardRows(first: 0, ends: [5, 9, 9, 13]), mode: .training)
    try network.computeGradients(batch, loss: .softmaxCrossEntropy, pass: pass)

    let byHand = NetworkByHand(network.plan, rows: 13)
    byHand.parameters.all.update(Array(network.parameters.all))
    byHand.state.all.update(Array(network.state.all))
    byHand.values[0].elements.update(batch.x)
    try byHand.forward(pass)
    var losses = [Float](repeating: 0, count: 13)
    kernels.softmaxCrossEntropy(
      byHand.values.last!, labels: batch.labels, losses: &losses, into: byHand.gradientOfOutputs)
    try byHand.backward(pass)
    for tensor in network.layout.tensors {
      // A count: a failing comparison of arrays would look for their difference for minutes.
      let different = zip(
        network.gradients.elements(of: tensor), byHand.gradients.elements(of: tensor)
      ).count { $0.bitPattern != $1.bitPattern }
      #expect(different == 0, "\(tensor.name)")
    }
  }

  @Test("shapes go from layer to layer, and blocks are taken apart")
  func shapes() throws {
    let network = try Network(
      [
        .relu, .dense(units: 7), .residual([.relu, .dense(units: 7)]), .residual([.relu, .relu]),
        .residual([.dense(units: 3)], shortcut: [.relu, .dense(units: 3)]),
      ], inputShape: Shape(4, 3), maximumRows: 2, gradientTail: 5)
    #expect(network.inputShape == Shape(4, 3) && network.outputShape == Shape(3))
    #expect(
      network.stages.map(\.number) == [
        "0", "1", "2.0", "2.1", "2", "3.0", "3.1", "3", "4.0", "4.shortcut.0", "4.shortcut.1", "4",
      ])
    #expect(
      network.plan.outline == "4x3 > relu 4x3 > dense 7 > residual (relu 7 > dense 7) "
        + "> residual (relu 7 > relu 7) > residual (dense 3 | relu 7 > dense 3)")
    #expect(
      network.layout.tensors.map(\.name) == [
        "1.dense.weight", "1.dense.bias", "2.1.dense.weight", "2.1.dense.bias", "4.0.dense.weight",
        "4.0.dense.bias", "4.shortcut.1.dense.weight", "4.shortcut.1.dense.bias",
      ])
    #expect(network.layout.tensors[0].shape == Shape(12, 7))
    #expect(network.gradients.tail.count == 5 && network.parameters.tail.isEmpty)
    #expect(network.maximumRows == 2)
  }

  @Test("a row of layers needs a buffer for each dense layer's outputs, and two for gradients")
  func buffers() throws {
    let plan = try NetworkPlan(
      [.dense(units: 30), .relu, .dense(units: 20), .relu, .dense(units: 10)],
      inputShape: Shape(40))
    let memory = MemoryPlan(plan)
    // ReLU works in place, forward and backward.
    #expect(memory.valueBuffer == [nil, 0, 0, 1, 1, 2])
    #expect(memory.valueWidths == [30, 20, 10])
    #expect(memory.gradientWidths == [30, 20])
    #expect(plan.floatsPerRow == 30 + 20 + 10 + 30 + 20)
  }

  @Test("what a block's sum still needs is not overwritten")
  func blockBuffers() throws {
    let plan = try NetworkPlan(
      [.dense(units: 4), .residual([.relu, .dense(units: 4)]), .relu], inputShape: Shape(4))
    let memory = MemoryPlan(plan)
    // The first ReLU's input is the sum's too; the sum and the last ReLU work in place.
    #expect(memory.valueBuffer == [nil, 0, 1, 2, 2, 2])
  }

  @Test("flattening moves nothing")
  func flatten() throws {
    let flatten = try LayerSpecification("flatten")
    let plan = try NetworkPlan(
      [flatten, .dense(units: 4), .relu, flatten, .relu, .dense(units: 2)],
      inputShape: Shape(3, 2))
    // The second ReLU may not overwrite what the first one's backward pass reads.
    #expect(MemoryPlan(plan).valueBuffer == [nil, nil, 0, 0, 0, 1, 2])
  }

  @Test(
    "a shape that a layer cannot work on is told with layer, need and shape",
    arguments: [
      (
        [.dense(units: 5), .residual([.dense(units: 4)])],
        "layer 1 (residual): needs layers that return the shape they get, 5, or a shortcut to "
          + "theirs, got 4"
      ),
      (
        [.residual([.residual([.dense(units: 3)], shortcut: [.dense(units: 2)])])],
        "layer 0.0 (residual): needs layers that return the shape of the shortcut, 2, got 3"
      ),
    ] as [([LayerSpecification], String)])
  func shapeErrors(layers: [LayerSpecification], message: String) {
    let error = #expect(throws: ShapeError.self) {
      try NetworkPlan(layers, inputShape: Shape(7))
    }
    #expect(error?.description == message)
  }

  @Test("a network that no machine holds is refused before anything overflows")
  func tooLarge() {
    let error = #expect(throws: NetworkTooLarge.self) {
      try NetworkPlan(
        [.dense(units: 1 << 31), .dense(units: 1 << 31), .dense(units: 1 << 31)],
        inputShape: Shape(1 << 31))
    }
    #expect(error?.description.hasPrefix("layer 0 (dense): no machine holds") == true)
  }

  /// y = factor x, which no configuration knows.
  private final class Scale: Layer {
    let kind = "scale"
    let inputShape: Shape
    var outputShape: Shape { inputShape }
    let parameters = [Parameter("factor", Shape(1), .one)]
    init(_ shape: Shape) { inputShape = shape }

    func forward(_ x: Matrix, into y: Matrix, memory: LayerMemory, pass: Pass) {
      for i in 0..<x.count { y.base[i] = memory.weights[0][0] * x.base[i] }
    }

    func backward(
      _ dy: Matrix, x: Matrix, y: Matrix, into dx: Matrix?, memory: LayerMemory, pass: Pass
    ) {
      memory.gradients[0][0] = zip(dy.elements, x.elements).reduce(0) { $0 + $1.0 * $1.1 }
      if let dx { for i in 0..<dx.count { dx.base[i] = memory.weights[0][0] * dy.base[i] } }
    }
  }

  @Test("a layer of somebody else's is a layer like any other")
  func ownLayer() throws {
    let network = try Network(
      [
        LayerSpecification("scale") { Scale($0) },
        .residual([LayerSpecification("s") { Scale($0) }]),
      ],
      inputShape: Shape(2), maximumRows: 1)
    network.initialize(seed: 1)
    #expect(network.layout.tensors.map(\.name) == ["0.scale.factor", "1.0.scale.factor"])
    let batch = SampleBatch(rows: 1, features: 2, outputs: 2, random: 1)
    try network.computeGradients(
      batch, loss: .squaredError, shards: ShardRows(undivided: 1), kernels: KernelSet(.baseline))
    // y = 2x; the loss's gradient is y - t, half of it times two.
    let expected = (0..<2).reduce(Float(0)) { sum, i in
      sum + (2 * batch.x[i] - batch.values[i]) * batch.x[i]
    }
    #expect((network.gradients.base[16] - expected).magnitude <= 8 * Float(unitRoundoff))
    #expect(network.gradients.base[0] == 2 * network.gradients.base[16])
  }
}

/// A network whose values and gradients all have memory of their own.
private final class NetworkByHand {
  let plan: NetworkPlan
  let parameters: Slab
  let gradients: Slab
  let state: Slab
  let values: [Matrix]
  let gradientOfOutputs: Matrix
  private let rows: Int
  private var buffers: [AlignedBuffer] = []
  private var memories: [LayerMemory?] = []

  init(_ plan: NetworkPlan, rows: Int) {
    self.plan = plan
    self.rows = rows
    let (parameters, gradients, state) = (
      Slab(plan.layout), Slab(plan.layout), Slab(plan.stateLayout)
    )
    (self.parameters, self.gradients, self.state) = (parameters, gradients, state)
    var buffers: [AlignedBuffer] = []
    func matrix(_ shape: Shape) -> Matrix {
      buffers.append(AlignedBuffer(count: rows * shape.count))
      return Matrix(buffers.last!.base, rows: rows, columns: shape.count)
    }
    values = (0...plan.stages.count).map { matrix(plan.shape(of: $0)) }
    gradientOfOutputs = matrix(plan.outputShape)
    var (tensor, stateTensor) = (0, 0)
    memories = plan.stages.enumerated().map { number, stage in
      guard let layer = stage.layer else { return nil }
      let mine = plan.layout.tensors[tensor..<tensor + layer.parameters.count]
      let remembered = plan.stateLayout.tensors[stateTensor..<stateTensor + layer.state.count]
      (tensor, stateTensor) = (mine.endIndex, remembered.endIndex)
      buffers.append(AlignedBuffer(count: layer.workspaceCount(rows: rows)))
      return LayerMemory(
        weights: mine.map { parameters.base + $0.offset },
        gradients: mine.map { gradients.base + $0.offset },
        state: remembered.map { state.base + $0.offset }, workspace: buffers.last!.base,
        number: number)
    }
    self.buffers = buffers
  }

  func forward(_ pass: Pass) throws {
    for (number, stage) in plan.stages.enumerated() {
      let (x, y) = (values[stage.input], values[number + 1])
      switch stage.operation {
      case .layer(let layer):
        try layer.forward(x, into: y, memory: memories[number]!, pass: pass)
      case .sum(let addend):
        for i in 0..<y.count { y.base[i] = x.base[i] + values[addend].base[i] }
      }
    }
  }

  func backward(_ pass: Pass) throws {
    var valueGradients: [Matrix?] = values.map { _ in nil }
    valueGradients[plan.stages.count] = gradientOfOutputs
    func contribute(_ part: Matrix, to value: Int) {
      guard let sum = valueGradients[value] else {
        valueGradients[value] = copy(part)
        return
      }
      for i in 0..<part.count { sum.base[i] += part.base[i] }
    }
    for (number, stage) in plan.stages.enumerated().reversed() {
      let dy = valueGradients[number + 1]!
      switch stage.operation {
      case .layer(let layer):
        let dx = copy(values[stage.input])
        try layer.backward(
          dy, x: values[stage.input], y: values[number + 1], into: dx, memory: memories[number]!,
          pass: pass)
        contribute(dx, to: stage.input)
      case .sum(let addend):
        contribute(dy, to: stage.input)
        contribute(dy, to: addend)
      }
    }
  }

  private func copy(_ matrix: Matrix) -> Matrix {
    let buffer = AlignedBuffer(count: matrix.count)
    buffer.elements.update(Array(matrix.elements))
    buffers.append(buffer)
    return Matrix(buffer.base, rows: matrix.rows, columns: matrix.columns)
  }
}
