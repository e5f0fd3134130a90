import Foundation
import NN

/// A network and its loss by their definitions, forward only, in Double: what gradients are
/// differences of.
struct ReferenceNetwork {
  let layers: [LayerSpecification]
  let layout: SlabLayout
  let loss: Loss

  /// The loss summed over the batch, and the smallest distance of a ReLU's input from its kink.
  func evaluate(_ batch: SampleBatch, parameters: [Double]) -> (loss: Double, margin: Double) {
    var total = 0.0
    var margin = Double.infinity
    for row in 0..<batch.rows {
      var x = batch.x[row * batch.features..<(row + 1) * batch.features].map(Double.init)
      var tensor = 0
      for layer in layers {
        switch layer {
        case .dense(let units):
          let weights = layout.tensors[tensor].offset
          let bias = layout.tensors[tensor + 1].offset
          x = (0..<units).map { j in
            var sum = parameters[bias + j]
            for i in x.indices { sum += x[i] * parameters[weights + i * units + j] }
            return sum
          }
          tensor += 2
        case .relu:
          // Exactly 0 is what another ReLU has cut off: no small change moves it.
          for value in x where value != 0 { margin = min(margin, value.magnitude) }
          x = x.map { max($0, 0) }
        }
      }
      total += sampleLoss(x, batch, row)
    }
    return (total, margin)
  }

  private func sampleLoss(_ outputs: [Double], _ batch: SampleBatch, _ row: Int) -> Double {
    switch loss {
    case .softmaxCrossEntropy:
      let top = outputs.max()!
      return log(outputs.reduce(0) { $0 + exp($1 - top) }) + top
        - outputs[Int(batch.labels[row])]
    case .squaredError:
      return outputs.indices.reduce(0.0) {
        let difference = outputs[$1] - Double(batch.values[row * outputs.count + $1])
        return $0 + difference * difference
      } / Double(outputs.count)
    }
  }

  /// The gradient by every parameter, as a central difference. With a step of h = 1e-6, truncation
  /// (h^2) and rounding (2^-52 / h) are both below 1e-8: nothing beside Float's own error.
  func gradient(_ batch: SampleBatch, parameters: [Double]) -> [Double] {
    var gradient = [Double](repeating: 0, count: parameters.count)
    var shifted = parameters
    let h = 1e-6
    for i in layout.tensors.flatMap({ Array($0.range) }) {
      shifted[i] = parameters[i] + h
      let above = evaluate(batch, parameters: shifted).loss
      shifted[i] = parameters[i] - h
      let below = evaluate(batch, parameters: shifted).loss
      shifted[i] = parameters[i]
      gradient[i] = (above - below) / (2 * h)
    }
    return gradient
  }
}
