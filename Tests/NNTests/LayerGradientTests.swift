import Kernels
import Testing

@testable import NN

/// Each layer by itself: the gradients by its parameters and by its input, against differences of
/// sum(dy y), in Double.
struct LayerGradientTests {
  static let rows = 5
  static let features = 6

  /// y by the layer's definition.
  private func forward(
    _ layer: LayerSpecification, x: [Double], weights: [[Double]], units: Int
  ) -> [Double] {
    switch layer {
    case .relu: return x.map { max($0, 0) }
    case .dense:
      var y: [Double] = []
      for i in 0..<LayerGradientTests.rows {
        for j in 0..<units {
          var sum = weights[1][j]
          for k in 0..<LayerGradientTests.features {
            sum += x[i * LayerGradientTests.features + k] * weights[0][k * units + j]
          }
          y.append(sum)
        }
      }
      return y
    }
  }

  @Test(
    "a layer's gradients are the differences of its outputs",
    arguments: [LayerSpecification.dense(units: 1), .dense(units: 7), .relu],
    InstructionSet.supported)
  func differences(specification: LayerSpecification, instructions: InstructionSet) {
    let (rows, features) = (LayerGradientTests.rows, LayerGradientTests.features)
    let layer = specification.layer(inputShape: Shape(features))
    let units = layer.outputShape.count
    let pass = Pass(
      kernels: KernelSet(instructions), shards: ShardRows(first: 0, ends: [2, 2, rows]))
    // Tensors: x, dy, y, dx, then the parameters and their gradients.
    let counts = [rows * features, rows * units, rows * units, rows * features]
    let parameterCounts = layer.parameters.map(\.shape.count)
    let buffers = (counts + parameterCounts + parameterCounts).enumerated().map {
      number, count in
      let buffer = AlignedBuffer(count: count)
      buffer.elements.update(randomValues(count, 50 + number))
      return buffer
    }
    withExtendedLifetime(buffers) {
      let x = Matrix(buffers[0].base, rows: rows, columns: features)
      let dy = Matrix(buffers[1].base, rows: rows, columns: units)
      let y = Matrix(buffers[2].base, rows: rows, columns: units)
      let dx = Matrix(buffers[3].base, rows: rows, columns: features)
      let weights = buffers[4..<4 + parameterCounts.count].map(\.base)
      let gradients = buffers[(4 + parameterCounts.count)...].map(\.base)
      layer.forward(x, into: y, weights: weights, pass: pass)
      layer.backward(
        dy, x: x, y: y, into: dx, weights: weights, gradients: gradients, pass: pass)

      // By x, then by each parameter.
      let points = [x.elements] + buffers[4..<4 + parameterCounts.count].map(\.elements)
      let analytic = [dx.elements] + buffers[(4 + parameterCounts.count)...].map(\.elements)
      let values = points.map { $0.map(Double.init) }
      func objective(_ values: [[Double]]) -> Double {
        zip(
          dy.elements,
          forward(specification, x: values[0], weights: Array(values[1...]), units: units)
        ).reduce(0) { $0 + Double($1.0) * $1.1 }
      }
      let h = 1e-6
      for tensor in values.indices {
        for i in values[tensor].indices {
          var (above, below) = (values, values)
          above[tensor][i] += h
          below[tensor][i] -= h
          let difference = (objective(above) - objective(below)) / (2 * h)
          // At most 7 terms of magnitude 1 in any sum: 8 u each, and the difference's own 1e-8.
          #expect(
            (Double(analytic[tensor][i]) - difference).magnitude <= 7 * 8 * unitRoundoff + 1e-8,
            "tensor \(tensor), element \(i)")
        }
      }
    }
  }

  @Test("specifications know their output's shape, and configurations their names")
  func specifications() {
    let image = Shape(28, 28)
    #expect(LayerSpecification.dense(units: 10).outputShape(for: image) == Shape(10))
    #expect(LayerSpecification.relu.outputShape(for: image) == image)
    let kinds = [LayerSpecification.dense(units: 1), .relu].map {
      $0.layer(inputShape: image).kind
    }
    #expect(kinds == LayerSpecification.names)
    #expect(image.count == 784 && "\(image)" == "28x28")
  }
}
