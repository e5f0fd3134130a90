import Kernels
import Testing

@testable import NN

/// Momentum SGD against its formula in Double.
struct SGDTests {
  /// Errors are carried along with the values: a step rounds each of v's three products once and
  /// their additions twice, w's product and subtraction once each, and passes on what v and w had.
  @Test(
    "ten steps follow g += weightDecay w; v = momentum v + g; w -= learningRate v",
    arguments: [(0, 0), (0.9, 0), (0, 0.01), (0.9, 0.01)] as [(Float, Float)],
    InstructionSet.supported)
  func formula(options: (momentum: Float, weightDecay: Float), instructions: InstructionSet) {
    var layout = SlabLayout()
    layout.append(name: "0.dense.weight", shape: Shape(7, 5))
    layout.append(name: "0.dense.bias", shape: Shape(5))
    let (parameters, gradients) = (Slab(layout), Slab(layout, tail: 4))
    let optimizer = SGD(
      layout: layout, momentum: options.momentum, weightDecay: options.weightDecay)
    let velocity = optimizer.states.first?.slab
    #expect((velocity == nil) == (options.momentum == 0))
    let kernels = KernelSet(instructions)
    parameters.tensors.update(randomValues(layout.count, 1))
    let (momentum, decay) = (Double(options.momentum), Double(options.weightDecay))
    let scale: Float = 1 / 3
    var w = parameters.tensors.map(Double.init)
    var v = [Double](repeating: 0, count: w.count)
    var (wError, vError) = (v, v)
    for step in 0..<10 {
      gradients.tensors.update(randomValues(layout.count, 10 + step))
      gradients.tail.update(repeating: .nan)
      let rate = Float(0.2) / Float(step + 1)
      optimizer.step(
        parameters, gradients: gradients, GradientTerms(scale: scale), learningRate: rate,
        kernels: kernels)
      var wrong = 0
      for i in w.indices {
        let terms = [
          momentum * v[i], Double(scale) * Double(gradients.base[i]), decay * w[i],
        ]
        vError[i] =
          momentum * vError[i] + decay * wError[i]
          + 4 * unitRoundoff * terms.reduce(0) { $0 + $1.magnitude }
        v[i] = terms.reduce(0, +)
        w[i] -= Double(rate) * v[i]
        wError[i] +=
          Double(rate) * vError[i]
          + 2 * unitRoundoff * (Double(rate) * v[i].magnitude + w[i].magnitude)
        if !((Double(parameters.base[i]) - w[i]).magnitude <= wError[i]) { wrong += 1 }
        if let velocity, !((Double(velocity.base[i]) - v[i]).magnitude <= vError[i]) { wrong += 1 }
      }
      #expect(wrong == 0, "step \(step)")
    }
  }
}

extension SGD {
  /// With what tests need of its settings.
  convenience init(layout: SlabLayout, momentum: Float, weightDecay: Float) {
    var values = SettingValues(SGD.settings)
    values[number: "momentum"] = Double(momentum)
    values[number: "weight-decay"] = Double(weightDecay)
    self.init(layout: layout, values)
  }
}
