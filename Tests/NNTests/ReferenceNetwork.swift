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
  /// Of the network's pass, for what is random.
  let pass: Pass

  /// The loss summed over the batch, and the smallest distance of an input from the kink of its
  /// layer or loss.
  func evaluate(_ batch: SampleBatch, parameters: [Double]) -> (loss: Double, margin: Double) {
    let x = (0..<batch.rows).map {
      batch.x[$0 * batch.features..<($0 + 1) * batch.features].map(Double.init)
    }
    let run = ReferenceRun(
      weights: layout.tensors.map { Array(parameters[$0.range]) }, pass: pass)
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
  private let pass: Pass
  /// Stages so far.
  private var stages = 0
  /// The smallest distance of an input from a kink.
  var margin = Double.infinity

  init(weights: [[Double]], pass: Pass) {
    self.weights = weights[...]
    self.pass = pass
  }

  func forward(_ layers: [LayerSpecification], _ x: [[Double]], _ shape: Shape) -> [[Double]] {
    layers.reduce((x, shape)) { state, layer in
      (forward(layer, state.0, state.1), layer.outputShape(for: state.1))
    }.0
  }

  private func forward(
    _ layer: LayerSpecification, _ x: [[Double]], _ shape: Shape
  ) -> [[Double]] {
    if case .residual(let main, let shortcut) = layer.content {
      let (y, side) = (forward(main, x, shape), forward(shortcut, x, shape))
      stages += 1
      return zip(y, side).map { zip($0, $1).map(+) }
    }
    defer { stages += 1 }
    switch layer.name {
    case "dense":
      let weight = weights.removeFirst()
      let units = weight.count / x[0].count
      let bias =
        layer.flag("bias") ? weights.removeFirst() : [Double](repeating: 0, count: units)
      return x.map { row in
        bias.indices.map { j in
          row.indices.reduce(bias[j]) { $0 + row[$1] * weight[$1 * units + j] }
        }
      }
    case "embedding":
      let table = weights.removeFirst()
      let dimension = Int(layer.number("dimension"))
      return x.map { $0.flatMap { table[Int($0) * dimension..<(Int($0) + 1) * dimension] } }
    case "relu":
      // Exactly 0 is what another ReLU has cut off: no small change moves it.
      for value in x.joined() where value != 0 { margin = min(margin, value.magnitude) }
      return x.map { $0.map { max($0, 0) } }
    case "leaky-relu":
      let slope = layer.number("slope")
      for value in x.joined() { margin = min(margin, value.magnitude) }
      return x.map { $0.map { $0 < 0 ? slope * $0 : $0 } }
    case "sigmoid":
      return x.map { $0.map { 1 / (1 + exp(-$0)) } }
    case "tanh":
      return x.map { $0.map(tanh) }
    case "gelu":
      if layer.text("approximate") == "none" {
        return x.map { $0.map { $0 * erfc(-$0 / 2.0.squareRoot()) / 2 } }
      }
      let factor = (2 / Double.pi).squareRoot()
      return x.map { $0.map { $0 / 2 * (1 + tanh(factor * ($0 + 0.044715 * $0 * $0 * $0))) } }
    case "dropout":
      let mask = DropoutMask(
        seed: pass.seed, layer: stages, step: pass.step, rate: Float(layer.number("rate")))
      return zip(x, factors(mask, rows: x.count, columns: x[0].count)).map { zip($0, $1).map(*) }
    case "batch-norm":
      let (gain, bias) = (weights.removeFirst(), weights.removeFirst())
      let epsilon = layer.number("epsilon")
      // Positions of all samples, by channels.
      let rows = positions(x, channels: gain.count)
      var y = rows
      for j in gain.indices {
        let column = normalized(rows.map { $0[j] }, epsilon)
        for i in y.indices { y[i][j] = column[i] * gain[j] + bias[j] }
      }
      return samples(y, count: x.count)
    case "layer-norm":
      let (gain, bias) = (weights.removeFirst(), weights.removeFirst())
      let y = positions(x, channels: gain.count).map { row in
        zip(normalized(row, layer.number("epsilon")), zip(gain, bias)).map { $0 * $1.0 + $1.1 }
      }
      return samples(y, count: x.count)
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

// Pieces of definitions.
extension ReferenceRun {
  /// Mean 0 and variance 1.
  private func normalized(_ x: [Double], _ epsilon: Double) -> [Double] {
    let mean = x.reduce(0, +) / Double(x.count)
    let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count)
    return x.map { ($0 - mean) / (variance + epsilon).squareRoot() }
  }

  private func positions(_ x: [[Double]], channels: Int) -> [[Double]] {
    x.flatMap { row in
      stride(from: 0, to: row.count, by: channels).map { Array(row[$0..<$0 + channels]) }
    }
  }

  private func samples(_ positions: [[Double]], count: Int) -> [[Double]] {
    let perSample = positions.count / count
    return (0..<count).map { Array(positions[$0 * perSample..<($0 + 1) * perSample].joined()) }
  }

  /// What the mask multiplies by: what the kernel makes of ones.
  private func factors(_ mask: DropoutMask, rows: Int, columns: Int) -> [[Double]] {
    var ones = [Float](repeating: 1, count: rows * columns)
    ones.withUnsafeMutableBufferPointer {
      let matrix = Matrix($0.baseAddress!, rows: rows, columns: columns)
      pass.kernels.dropout(matrix, mask: mask, firstSample: pass.firstSample, into: matrix)
    }
    return (0..<rows).map { ones[$0 * columns..<($0 + 1) * columns].map(Double.init) }
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
  /// A setting that is a number.
  func number(_ key: String) -> Double { settings.number(key) }

  /// A setting that is a word.
  func text(_ key: String) -> String? {
    if case .text(let text)? = settings.first(where: { $0.key == key })?.value.value {
      text
    } else {
      nil
    }
  }

  /// A setting that is true or false.
  func flag(_ key: String) -> Bool {
    settings.first { $0.key == key }?.value.value == .flag(true)
  }
}

extension [RawSetting.Entry] {
  func number(_ key: String) -> Double {
    switch first(where: { $0.key == key })?.value.value {
    case .number(let value): return value
    case .integer(let value): return Double(value)
    default: fatalError("no number is called \(key)")
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
      let smoothing = settings.number("label-smoothing")
      let mean = outputs.reduce(0, +) / count
      return (logSum - (1 - smoothing) * outputs[label] - smoothing * mean, .infinity)
    case "multi-class-hinge":
      let margins = outputs.indices.filter { $0 != label }.map { 1 + outputs[$0] - outputs[label] }
      return (
        margins.reduce(0) { $0 + max($1, 0) } / count, margins.map(\.magnitude).min() ?? .infinity
      )
    case "squared-error":
      return (differences.reduce(0) { $0 + $1 * $1 } / count, .infinity)
    case "absolute-error":
      return (
        differences.reduce(0) { $0 + $1.magnitude } / count, differences.map(\.magnitude).min()!
      )
    case "huber":
      let delta = settings.number("delta")
      let terms = differences.map {
        $0.magnitude <= delta ? $0 * $0 / 2 : delta * ($0.magnitude - delta / 2)
      }
      return (terms.reduce(0, +) / count, .infinity)
    case "binary-cross-entropy":
      let terms = zip(outputs, values).map { (x: Double, t: Double) -> Double in
        t * log(1 + exp(-x)) + (1 - t) * log(1 + exp(x))
      }
      return (terms.reduce(0, +) / count, .infinity)
    case "hinge":
      let margins = zip(outputs, values).map { 1 - $0 * $1 }
      return (margins.reduce(0) { $0 + max($1, 0) } / count, margins.map(\.magnitude).min()!)
    default:
      fatalError("\(name) has no definition here")
    }
  }

  /// Every loss there is, with its defaults, and settings that are none.
  static let all =
    names.map { try! Loss($0) }
    + [
      try! Loss("softmax-cross-entropy", ["label-smoothing": 0.1]),
      try! Loss("huber", ["delta": 0.3]),
    ]
}
