import Kernels
import Testing

@testable import NN

/// Backward against differences of forward.
struct NetworkGradientTests {
  struct Model: CustomStringConvertible {
    var features: Int
    /// The features' shape, if they are more than a row of numbers.
    var image: Shape?
    var layers: [LayerSpecification]
    var inputShape: Shape { image ?? Shape(features) }
    var description: String { "\(inputShape), \(layers)" }
  }

  static let models: [Model] = [
    Model(features: 13, layers: [.dense(units: 5)]),
    Model(features: 1, layers: [.dense(units: 1)]),
    Model(features: 13, layers: [.dense(units: 5), .relu]),
    Model(features: 9, layers: [.relu, .dense(units: 3)]),
    Model(features: 13, layers: [.dense(units: 17), .dense(units: 4)]),
    Model(
      features: 13,
      layers: [.dense(units: 17), .relu, .dense(units: 11), .relu, .dense(units: 5)]),
    // Blocks within blocks, behind each other, of layers without parameters, with shortcuts.
    Model(features: 6, layers: [.dense(units: 5), .residual([.dense(units: 5)])]),
    Model(features: 6, layers: [.residual([.dense(units: 6), .relu]), .relu, .dense(units: 3)]),
    Model(
      features: 6,
      layers: [
        .dense(units: 5),
        .residual([.residual([.dense(units: 5), .relu]), .residual([.dense(units: 5)])]), .relu,
        .residual([.relu]), .dense(units: 4),
      ]),
    Model(
      features: 6,
      layers: [
        .dense(units: 7), .relu,
        .residual([.dense(units: 9), .relu, .dense(units: 4)], shortcut: [.dense(units: 4)]),
        .residual([.relu, .dense(units: 3)], shortcut: [.residual([.relu]), .dense(units: 3)]),
      ]),
    Model(
      features: 7,
      layers: [
        .dense(units: 8), try! LayerSpecification("batch-norm"), .relu,
        try! LayerSpecification("dropout", 0.25),
        .residual([
          .dense(units: 8), try! LayerSpecification("batch-norm"), try! LayerSpecification("gelu"),
          try! LayerSpecification("dropout", 0.5),
        ]), try! LayerSpecification("layer-norm"), try! LayerSpecification("tanh"),
        .dense(units: 4), try! LayerSpecification("sigmoid"),
      ]),
    Model(
      features: 8,
      layers: [.dense(units: 16), .relu, .relu, .dense(units: 32), .dense(units: 6), .relu]),
    // Images. (Pooling behind a ReLU, whose zeros have no largest one, is held against layers by
    // hand.)
    Model(
      features: 50, image: Shape(5, 5, 2),
      layers: [
        try! LayerSpecification("conv", ["filters": 4, "kernel": 3, "padding": "same"]),
        try! LayerSpecification("max-pool", 2), .relu, .dense(units: 4),
      ]),
    Model(
      features: 49, image: Shape(7, 7, 1),
      layers: [
        try! LayerSpecification("conv", ["filters": 3, "kernel": 2]), .relu,
        try! LayerSpecification("conv", ["filters": 5, "kernel": 3]), .relu,
        try! LayerSpecification("average-pool", 2), .dense(units: 3),
      ]),
    Model(
      features: 72, image: Shape(6, 6, 2),
      layers: [
        try! LayerSpecification("conv", ["filters": 4, "kernel": 3, "padding": "same"]),
        try! LayerSpecification("batch-norm"), .relu,
        .residual([
          try! LayerSpecification("conv", ["filters": 4, "kernel": 3, "padding": "same"]), .relu,
        ]),
        try! LayerSpecification("global-average-pool"), .dense(units: 3),
      ]),
  ]

  /// The tolerance: every addition along the longest way through the network, forward and back, may
  /// cost one u of what is added up. Widths and rows add up to less than 128 of them with the
  /// loss's own roundings; cancellation inside one element can lose what the largest element of
  /// the gradient shows, and a factor of 4 more. A wrong index or sign is wrong by the gradient
  /// itself, five orders above.
  @Test(
    "gradients are the differences of the loss", arguments: models,
    [Loss.softmaxCrossEntropy, .squaredError])
  func differences(model: Model, loss: Loss) throws {
    try check(model, loss)
  }

  @Test("gradients of every loss pass through a network", arguments: Loss.all)
  func losses(loss: Loss) throws {
    try check(
      Model(features: 9, layers: [.dense(units: 12), .relu, .dense(units: 5)]), loss)
  }

  private func check(_ model: Model, _ loss: Loss) throws {
    let network = try Network(model.layers, inputShape: model.inputShape, maximumRows: 7)
    network.initialize(seed: 11)
    // Biases too, so that every term counts.
    for (number, tensor) in network.layout.tensors.enumerated()
    where tensor.shape.dimensions.count == 1 {
      network.parameters.elements(of: tensor).update(
        randomValues(tensor.shape.count, 100 + number))
    }
    let batch = SampleBatch(
      rows: 7, features: model.features, outputs: network.outputShape.count, random: 1)
    func pass(_ instructions: InstructionSet) -> Pass {
      Pass(
        kernels: KernelSet(instructions), shards: ShardRows(undivided: 7), mode: .training, seed: 3,
        step: 5, firstSample: 11, globalRows: 7, batchSum: NoOtherRanks())
    }
    let reference = ReferenceNetwork(
      layers: model.layers, inputShape: model.inputShape, layout: network.layout, loss: loss,
      pass: pass(.baseline))
    let parameters = network.parameters.tensors.map(Double.init)
    let exact = reference.evaluate(batch, parameters: parameters)
    try #require(exact.margin > 1e-5, "a ReLU is at its kink: choose other data")
    let differences = reference.gradient(batch, parameters: parameters)
    let scale = max(1, differences.map(\.magnitude).max()!)
    let tolerance = 4 * 128 * unitRoundoff * scale

    for instructions in InstructionSet.supported {
      network.gradients.all.update(repeating: .nan)
      let sum = try network.computeGradients(batch, loss: loss, pass: pass(instructions))
      #expect((Double(sum) - exact.loss).magnitude <= 128 * unitRoundoff * max(1, exact.loss))
      for tensor in network.layout.tensors {
        let worst = zip(network.gradients.elements(of: tensor), differences[tensor.range])
          .map { (Double($0) - $1).magnitude }
          .reduce(0) { $1.isNaN ? .infinity : max($0, $1) }
        #expect(worst <= tolerance, "\(tensor.name), \(instructions)")
      }
    }
  }
}

extension UnsafeMutableBufferPointer<Float> {
  /// Copies `values`, as many as there are elements.
  func update(_ values: [Float]) {
    precondition(values.count == count)
    for i in indices { self[i] = values[i] }
  }
}
