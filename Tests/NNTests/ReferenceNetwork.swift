import Foundation
import Kernels

@testable import NN

/// A network and its loss by their definitions, forward only, in Double: what gradients are
/// differences of.
struct ReferenceNetwork {
  let layers: [LayerSpecification]
  let layout: SlabLayout
  let loss: Loss

  /// The loss summed over the batch, and the smallest distance of an input from the kink of its
  /// layer or loss.
  func evaluate(_ batch: SampleBatch, parameters: [Double]) -> (loss: Double, margin: Double) {
    let x = (0..<batch.rows).map {
      batch.x[$0 * batch.features..<($0 + 1) * batch.features].map(Double.init)
    }
    let run = ReferenceRun(
      weights: layout.tensors.map { Array(parameters[$0.range]) })
    let outputs = run.forward(layers, x)
    var total = 0.0
    for (row, output) in outputs.enumerated() {
      let (loss, margin) = loss.reference(
        output, label: Int(batch.labels[row]),
        values: batch.values[row * output.count..<(row + 1) * output.count].map(Double.init))
      total += loss
      run.margin = min(run.margin, margin)
    }
    return (total, run.margin)
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

/// One forward pass by the layers' definitions, over the whole batch.
final class ReferenceRun {
  /// The parameters that are still to be used, tensor by tensor.
  private var weights: ArraySlice<[Double]>
  /// The smallest distance of an input from a kink.
  var margin = Double.infinity

  init(weights: [[Double]]) { self.weights = weights[...] }

  func forward(_ layers: [LayerSpecification], _ x: [[Double]]) -> [[Double]] {
    layers.reduce(x) { forward($1, $0) }
  }

  private func forward(_ layer: LayerSpecification, _ x: [[Double]]) -> [[Double]] {
    if case .residual(let main, let shortcut) = layer.content {
      let sum = forward(main, x)
      return zip(sum, forward(shortcut, x)).map { zip($0, $1).map(+) }
    }
    switch layer.name {
    case "dense":
      let (weight, bias) = (weights.removeFirst(), weights.removeFirst())
      return x.map { row in
        bias.indices.map { j in
          row.indices.reduce(bias[j]) { $0 + row[$1] * weight[$1 * bias.count + j] }
        }
      }
    case "relu":
      // Exactly 0 is what another ReLU has cut off: no small change moves it.
      for value in x.joined() where value != 0 { margin = min(margin, value.magnitude) }
      return x.map { $0.map { max($0, 0) } }
    case "flatten":
      return x
    default:
      fatalError("\(layer.name) has no definition here")
    }
  }
}

extension Loss {
  /// A sample's loss by its definition, and how far it is from a kink.
  func reference(
    _ outputs: [Double], label: Int, values: [Double]
  ) -> (loss: Double, margin: Double) {
    let count = Double(outputs.count)
    let differences = zip(outputs, values).map { $0 - $1 }
    switch name {
    case "softmax-cross-entropy":
      let top = outputs.max()!
      let logSum = log(outputs.reduce(0) { $0 + exp($1 - top) }) + top
      return (logSum - outputs[label], .infinity)
    case "squared-error":
      return (differences.reduce(0) { $0 + $1 * $1 } / count, .infinity)
    default:
      fatalError("\(name) has no definition here")
    }
  }

  /// Every loss there is, with its defaults.
  static let all = names.map { try! Loss($0) }
}
