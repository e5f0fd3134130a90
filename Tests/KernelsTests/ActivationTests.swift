import Foundation
import Testing

@testable import Kernels

/// Activations' gradients against Double.
struct ActivationTests {
  struct Activation: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var value: @Sendable (_ x: Double) -> Double
    /// Whether the gradient takes y, or x.
    var takesOutput = false
    /// The derivative, from what the gradient takes.
    var slope: @Sendable (Double) -> Double
    /// The largest error of the gradient by dy, in u = 2^-24.
    var error: @Sendable (Double) -> Double
    var gradient: @Sendable (KernelSet) -> (_ taken: Matrix, _ dy: Matrix, _ dx: Matrix) -> Void
  }

  static let activations = [
    Activation(
      testDescription: "leaky ReLU", value: { $0 < 0 ? Double(Float(0.01)) * $0 : $0 },
      slope: { $0 > 0 ? 1 : Double(Float(0.01)) }, error: { $0 > 0 ? 0 : 0.01 },
      gradient: { k in { k.leakyReLUGradient($0, $1, slope: 0.01, into: $2) } }),
    // The probability is good to 10 u, the density to 4 (exponential 2, constant and product);
    // its product with x, the sum and the product with dy round.
    Activation(
      testDescription: "GELU", value: { $0 * probability($0) },
      slope: { probability($0) + $0 * density($0) },
      error: { 12 * probability($0) + 7 * $0.magnitude * density($0) },
      gradient: { k in { k.geluGradient($0, $1, into: $2) } }),
    // e^-2u is good to 8 u, and so are p and 1 - p; their quotients round, the slope is good to 4 and
    // multiplied four times. What is below the smallest normal number may be 0.
    Activation(
      testDescription: "GELU by tanh", value: { $0 * logistic($0) },
      slope: { logistic($0) + $0 * logisticSlope($0) },
      error: { 12 * logistic($0) + 26 * $0.magnitude * logisticSlope($0) + 0x1p-102 },
      gradient: { k in { k.geluTanhGradient($0, $1, into: $2) } }),
    // A difference and two products.
    Activation(
      testDescription: "sigmoid", value: { 1 / (1 + exp(-$0)) }, takesOutput: true,
      slope: { $0 * (1 - $0) }, error: { 3.01 * $0 * (1 - $0) },
      gradient: { k in { k.sigmoidGradient($0, $1, into: $2) } }),
    // A sum, a difference and two products.
    Activation(
      testDescription: "tanh", value: { tanh($0) }, takesOutput: true,
      slope: { (1 - $0) * (1 + $0) }, error: { 4.01 * (1 - $0) * (1 + $0) },
      gradient: { k in { k.tanhGradient($0, $1, into: $2) } }),
  ]

  private static func probability(_ x: Double) -> Double { erfc(-x * 0.5.squareRoot()) / 2 }
  /// The probability's approximation, and its slope.
  private static func logistic(_ x: Double) -> Double {
    1 / (1 + exp(-(8 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
  }
  private static func logisticSlope(_ x: Double) -> Double {
    logistic(x) * logistic(-x) * (8 / Double.pi).squareRoot() * (1 + 3 * 0.044715 * x * x)
  }
  private static func density(_ x: Double) -> Double {
    exp(-x * x / 2) / (2 * Double.pi).squareRoot()
  }

  /// Central differences: off by h^2 / 6 times the third derivative, which is below 6 for all of
  /// these, and by the values' rounding over h.
  @Test("the slopes of these tests are those of the functions", arguments: activations)
  func slopes(activation: Activation) {
    let h = 1e-5
    for x in stride(from: -6.05, through: 6, by: 0.1) {
      let difference = (activation.value(x + h) - activation.value(x - h)) / (2 * h)
      let slope = activation.slope(activation.takesOutput ? activation.value(x) : x)
      #expect((difference - slope).magnitude < h * h + 1e-10, "at \(x)")
    }
  }

  @Test("gradients are those of Double", arguments: activations)
  func gradients(activation: Activation) {
    for kernels in InstructionSet.supported.map(KernelSet.init) {
      for count in sizes {
        var x = randomValues(count, 1).map { $0 * 12 }
        if count > 5 { x[4] = 0 }
        let taken = Grid(
          rows: 1, columns: count,
          activation.takesOutput ? x.map { Float(activation.value(Double($0))) } : x)
        let dy = Grid(rows: 1, columns: count, random: 2)
        let dx = kernels.gradient(activation, taken, dy)
        for i in 0..<count {
          let (at, scale) = (Double(taken.values[i]), Double(dy.values[i]))
          let error = (Double(dx.values[i]) - scale * activation.slope(at)).magnitude
          #expect(error <= scale.magnitude * activation.error(at) * unitRoundoff, "at \(x[i])")
        }
        // dx may be either operand.
        let overInput = dy.read { dy in
          Grid(rows: 1, columns: count) {
            $0.fill(taken)
            activation.gradient(kernels)($0, dy, $0)
          }
        }
        let overGradient = taken.read { taken in
          Grid(rows: 1, columns: count) {
            $0.fill(dy)
            activation.gradient(kernels)(taken, $0, $0)
          }
        }
        #expect(overInput.bits == dx.bits && overGradient.bits == dx.bits)
      }
    }
  }

  @Test("gradients pass NaN and infinity on", arguments: activations)
  func nonFinite(activation: Activation) {
    for kernels in InstructionSet.supported.map(KernelSet.init) {
      for place in [0, 7, 16, 20] {
        var taken = Grid(rows: 1, columns: 21, [Float](repeating: 0.5, count: 21))
        var dy = Grid(rows: 1, columns: 21, [Float](repeating: 1, count: 21))
        dy.values[place] = .infinity
        #expect(kernels.gradient(activation, taken, dy).values[place] == .infinity)
        dy.values[place] = .nan
        let dx = kernels.gradient(activation, taken, dy).values
        #expect(dx.indices.allSatisfy { dx[$0].isNaN == ($0 == place) })
        // Leaky ReLU chooses by x: what is not positive has the slope.
        guard activation.testDescription != "leaky ReLU" else { continue }
        taken.values[place] = .nan
        dy.values[place] = 1
        #expect(kernels.gradient(activation, taken, dy).values[place].isNaN)
      }
    }
  }

  @Test("leaky ReLU scales what is negative", arguments: InstructionSet.supported, sizes)
  func leakyReLU(instructions: InstructionSet, count: Int) {
    let kernels = KernelSet(instructions)
    let x = Grid(rows: 1, columns: count, random: 1)
    let y = x.read { x in
      Grid(rows: 1, columns: count) { kernels.leakyReLU(x, slope: 0.3, into: $0) }
    }
    #expect(y.values == x.values.map { $0 < 0 ? Float(0.3) * $0 : $0 })
    let special = Grid(rows: 1, columns: 3, [.nan, .infinity, -.infinity])
    let limits = special.read { x in
      Grid(rows: 1, columns: 3) { kernels.leakyReLU(x, slope: 0.3, into: $0) }
    }
    #expect(limits.values[0].isNaN && limits.values[1...] == [.infinity, -.infinity])
  }

  @Test(
    "far from 0, GELU's gradient is 0 or that of the output", arguments: InstructionSet.supported,
    [1, 2])
  func geluLimits(instructions: InstructionSet, activation: Int) {
    let kernels = KernelSet(instructions)
    let x = Grid(rows: 1, columns: 4, [-.infinity, -3e38, 3e38, .infinity])
    let dy = Grid(rows: 1, columns: 4, [2, 2, 2, 2])
    let dx = kernels.gradient(ActivationTests.activations[activation], x, dy)
    #expect(dx.values == [0, 0, 2, 2])
  }

  /// With probabilities y and m = sum of y dy: m is good to (n + 2) u of the sum of |y dy|, and the
  /// difference and two products round.
  @Test("softmax's gradient is that of Double", arguments: InstructionSet.supported, sizes)
  func softmaxGradient(instructions: InstructionSet, columns: Int) {
    let kernels = KernelSet(instructions)
    let y = kernels.softmax(Grid(rows: 3, columns: columns, random: 1))
    let dy = Grid(rows: 3, columns: columns, random: 2)
    let dx = y.read { y in
      dy.read { dy in
        Grid(rows: 3, columns: columns) { kernels.softmaxGradient(y, dy, into: $0) }
      }
    }
    for i in 0..<3 {
      let range = i * columns..<(i + 1) * columns
      let products = range.map { Double(y.values[$0]) * Double(dy.values[$0]) }
      let mean = products.reduce(0, +)
      let size = products.reduce(0) { $0 + $1.magnitude }
      for j in range {
        let (p, slope) = (Double(y.values[j]), Double(dy.values[j]))
        let bound = Double(columns + 2) * size + 3 * (slope - mean).magnitude
        let error = (Double(dx.values[j]) - p * (slope - mean)).magnitude
        #expect(error <= p * bound * unitRoundoff)
      }
    }
    let inPlace = y.read { y in
      Grid(rows: 3, columns: columns) {
        $0.fill(dy)
        kernels.softmaxGradient(y, $0, into: $0)
      }
    }
    #expect(inPlace.bits == dx.bits)
  }
}

extension KernelSet {
  fileprivate func gradient(
    _ activation: ActivationTests.Activation, _ taken: Grid, _ dy: Grid
  ) -> Grid {
    taken.read { taken in
      dy.read { dy in
        Grid(rows: 1, columns: dy.columns) { activation.gradient(self)(taken, dy, $0) }
      }
    }
  }
}
