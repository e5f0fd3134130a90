import Foundation
import Kernels

@testable import NN

/// A network and its loss by their definitions, forward only, in Double: what gradients are
/// differences of.
struct ReferenceNetwork {
  let layers: [LayerSpecification]
  let inputShape: Shape
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
    let outputs = run.forward(layers, x, inputShape)
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

  func forward(_ layers: [LayerSpecification], _ x: [[Double]], _ shape: Shape) -> [[Double]] {
    layers.reduce((x, shape)) { state, layer in
      (forward(layer, state.0, state.1), layer.outputShape(for: state.1))
    }.0
  }

  private func forward(
    _ layer: LayerSpecification, _ x: [[Double]], _ shape: Shape
  ) -> [[Double]] {
    if case .residual(let main, let shortcut) = layer.content {
      let sum = forward(main, x, shape)
      return zip(sum, forward(shortcut, x, shape)).map { zip($0, $1).map(+) }
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
    case "conv":
      return convolution(layer, x, shape)
    case "max-pool":
      return x.map { image in
        pool(image, shape, layer) { values in
          let sorted = values.sorted()
          if sorted.count > 1 { margin = min(margin, sorted.last! - sorted[sorted.count - 2]) }
          return sorted.last!
        }
      }
    case "average-pool", "global-average-pool":
      return x.map { image in
        pool(image, shape, layer) { $0.reduce(0, +) / Double($0.count) }
      }
    default:
      fatalError("\(layer.name) has no definition here")
    }
  }
}

extension ReferenceRun {
  private func convolution(
    _ layer: LayerSpecification, _ x: [[Double]], _ shape: Shape
  ) -> [[Double]] {
    let channels = shape.dimensions.count > 2 ? shape.dimensions[2] : 1
    let filters = layer.outputShape(for: shape).dimensions[2]
    let weight = weights.removeFirst()
    let hasBias = layer.settings.contains { $0.key == "bias" && $0.value == true }
    let bias = hasBias ? weights.removeFirst() : Array(repeating: 0, count: filters)
    let windows = ReferenceWindows(layer, shape).windows
    return x.map { image in
      windows.flatMap { window in
        (0..<filters).map { filter in
          var sum = bias[filter]
          for (number, pixel) in window.enumerated() {
            guard let pixel else { continue }
            for c in 0..<channels {
              sum +=
                image[pixel * channels + c] * weight[(number * channels + c) * filters + filter]
            }
          }
          return sum
        }
      }
    }
  }

  /// Applies `function` to those pixels of every window that lie in the image, by channel.
  private func pool(
    _ image: [Double], _ shape: Shape, _ layer: LayerSpecification,
    _ function: ([Double]) -> Double
  ) -> [Double] {
    let channels = shape.dimensions.count > 2 ? shape.dimensions[2] : 1
    return ReferenceWindows(layer, shape).windows.flatMap { window in
      (0..<channels).map { c in
        function(window.compactMap { $0.map { image[$0 * channels + c] } })
      }
    }
  }
}

/// The windows of a layer on an image, by its settings.
struct ReferenceWindows {
  /// Of every window, row by row, its pixels' numbers; nil for those in the padding.
  let windows: [[Int?]]

  init(_ layer: LayerSpecification, _ shape: Shape) {
    let (height, width) = (shape.dimensions[0], shape.dimensions[1])
    func pair(_ key: String) -> [Int]? {
      layer.settings.first { $0.key == key }.flatMap { entry in
        guard case .list(let items) = entry.value.value else { return nil }
        return items.compactMap { if case .integer(let value) = $0.value { value } else { nil } }
      }
    }
    let size = pair("size") ?? pair("kernel") ?? [height, width]
    let stride = pair("stride") ?? [1, 1]
    func starts(_ axis: Int, _ extent: Int) -> [Int] {
      let (size, stride) = (size[axis], stride[axis])
      if layer.settings.contains(where: { $0.key == "padding" && $0.value == "same" }) {
        let count = Int((Double(extent) / Double(stride)).rounded(.up))
        let padding = max(0, (count - 1) * stride + size - extent)
        return (0..<count).map { $0 * stride - padding / 2 }
      }
      let padding = pair("padding")?[axis] ?? 0
      return Array(Swift.stride(from: -padding, through: extent + padding - size, by: stride))
    }
    windows = starts(0, height).flatMap { top in
      starts(1, width).map { left in
        (top..<top + size[0]).flatMap { y in
          (left..<left + size[1]).map { x in
            (0..<height).contains(y) && (0..<width).contains(x) ? y * width + x : nil
          }
        }
      }
    }
  }
}

extension LayerSpecification {
  /// What the layer makes of an input of `shape`.
  fileprivate func outputShape(for shape: Shape) -> Shape {
    try! NetworkPlan([self], inputShape: shape).outputShape
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
