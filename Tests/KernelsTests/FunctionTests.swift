import Foundation
import Testing

@testable import Kernels

/// The elementary functions against Double's, over all Floats.
struct FunctionTests {
  struct Function: CustomTestStringConvertible, Sendable {
    var testDescription: String
    /// Largest error in units in the last place of the exact result.
    var ulps: Double
    var exact: @Sendable (Double) -> Double
    var kernel: @Sendable (KernelSet) -> (Matrix, Matrix) -> Void

    /// The value at `x`, through a buffer of one.
    func callAsFunction(_ x: Float, _ kernels: KernelSet) -> Float {
      self(Grid(rows: 1, columns: 1, [x]), kernels).values[0]
    }

    func callAsFunction(_ x: Grid, _ kernels: KernelSet) -> Grid {
      x.read { x in
        Grid(rows: x.rows, columns: x.columns) { kernel(kernels)(x, $0) }
      }
    }
  }

  static let functions = [
    Function(testDescription: "exponential", ulps: 1.1, exact: exp) { k in
      { k.exponential($0, into: $1) }
    },
    Function(testDescription: "logarithm", ulps: 1, exact: log) { k in
      { k.logarithm($0, into: $1) }
    },
    Function(testDescription: "tanh", ulps: 1.5, exact: tanh) { k in { k.tanh($0, into: $1) } },
    Function(testDescription: "erf", ulps: 1.5, exact: erf) { k in { k.erf($0, into: $1) } },
    Function(testDescription: "sigmoid", ulps: 2.5, exact: { 1 / (1 + exp(-$0)) }) { k in
      { k.sigmoid($0, into: $1) }
    },
    Function(
      testDescription: "softplus", ulps: 3, exact: { max($0, 0) + log1p(exp(-$0.magnitude)) }
    ) { k in { k.softplus($0, into: $1) } },
    Function(
      testDescription: "gelu", ulps: 5, exact: { $0 * erfc(-$0 * 0.5.squareRoot()) / 2 }
    ) { k in { k.gelu($0, into: $1) } },
    Function(
      testDescription: "gelu by tanh", ulps: 5,
      exact: { $0 / (1 + exp(-2 * (2 / Double.pi).squareRoot() * ($0 + 0.044715 * $0 * $0 * $0))) }
    ) { k in { k.geluTanh($0, into: $1) } },
  ]

  /// Every 4001st bit pattern (a prime: all mantissas, all exponents), the finite ones.
  private static let samples = stride(from: UInt32(0), through: .max, by: 4001)
    .map { Float(bitPattern: $0) }.filter(\.isFinite)

  /// Results below the smallest normal number may be 0.
  @Test("functions keep to their error bounds over all Floats", arguments: functions)
  func accuracy(function: Function) {
    let x = Grid(rows: 1, columns: FunctionTests.samples.count, FunctionTests.samples)
    let exact = x.values.map { function.exact(Double($0)) }
    for instructions in InstructionSet.supported {
      let y = function(x, KernelSet(instructions)).values
      var worst = (ulps: 0.0, x: Float(0))
      var wrong: [Float] = []
      for i in x.values.indices {
        let rounded = Float(exact[i])
        guard rounded.isFinite else {
          if y[i] != rounded && !(y[i].isNaN && rounded.isNaN) { wrong.append(x.values[i]) }
          continue
        }
        let error = (Double(y[i]) - exact[i]).magnitude
        if error <= 0x1p-126 && rounded.magnitude <= .leastNormalMagnitude { continue }
        let ulps = y[i].isNaN ? .infinity : error / Double(rounded.ulp)
        if ulps > worst.ulps { worst = (ulps, x.values[i]) }
      }
      #expect(worst.ulps <= function.ulps, "\(instructions), at \(worst.x)")
      #expect(wrong == [], "\(instructions)")
    }
  }

  @Test("special values have the limits of the functions", arguments: InstructionSet.supported)
  func specialValues(instructions: InstructionSet) {
    let kernels = KernelSet(instructions)
    let smallest = Float.leastNonzeroMagnitude
    let expected: [String: [(Float, Float)]] = [
      "exponential": [
        (-.infinity, 0), (-87.4, 0), (-0.0, 1), (0, 1), (smallest, 1), (88.73, .infinity),
        (.infinity, .infinity),
      ],
      "logarithm": [
        (-.infinity, .nan), (-smallest, .nan), (-0.0, -.infinity), (0, -.infinity), (1, 0),
        (smallest, -103.278_93), (.infinity, .infinity),
      ],
      "tanh": [
        (-.infinity, -1), (-0.0, -0.0), (0, 0), (smallest, smallest), (-smallest, -smallest),
        (.infinity, 1),
      ],
      "erf": [(-.infinity, -1), (-0.0, -0.0), (0, 0), (.infinity, 1)],
      "sigmoid": [(-.infinity, 0), (-0.0, 0.5), (0, 0.5), (smallest, 0.5), (.infinity, 1)],
      "softplus": [(-.infinity, 0), (88, 88), (3e38, 3e38), (.infinity, .infinity)],
      "gelu": [
        (-.infinity, -0.0), (-0.0, -0.0), (0, 0), (14, 14), (3e38, 3e38), (.infinity, .infinity),
      ],
      "gelu by tanh": [
        (-.infinity, -0.0), (-0.0, -0.0), (0, 0), (14, 14), (3e38, 3e38), (.infinity, .infinity),
      ],
    ]
    for function in FunctionTests.functions {
      #expect(function(.nan, kernels).isNaN, "\(function.testDescription)")
      for (x, y) in expected[function.testDescription]! {
        let result = function(x, kernels)
        let isRight =
          y.isNaN ? result.isNaN : result == y && result.sign == y.sign
        #expect(isRight, "\(function.testDescription) of \(x) is \(result)")
      }
    }
  }

  @Test("an element has the same bits at any place, and in place", arguments: functions)
  func place(function: Function) {
    for instructions in InstructionSet.supported {
      let kernels = KernelSet(instructions)
      for count in sizes where count <= 127 {
        var x = Grid(rows: 1, columns: count, random: 3)
        x.values = x.values.map { $0 * 9 }
        let y = function(x, kernels)
        let alone = x.values.map { function($0, kernels) }
        #expect(difference(y.values.map(\.bitPattern), alone.map(\.bitPattern)) == nil)
        let inPlace = Grid(rows: 1, columns: count) {
          $0.fill(x)
          function.kernel(kernels)($0, $0)
        }
        #expect(inPlace.bits == y.bits)
      }
    }
  }
}
