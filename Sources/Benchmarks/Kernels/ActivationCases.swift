import Foundation
import Kernels

extension KernelCase {
  /// Elementary functions, activations and their gradients in the cache, then in memory.
  static func activations(_ sizes: KernelSizes) -> [KernelCase] {
    functions.flatMap { sizes.counts(bytesPerIndex: 8).map($0.forward) }
      + gradients.flatMap { sizes.counts(bytesPerIndex: 12).map($0.backward) }
  }

  /// Roundings are twice the error in ulp that `KernelSet` promises.
  private static let functions = [
    Function("exponential", roundings: 3, exact: exp) { $0.exponential($1, into: $2) },
    Function("logarithm", in: 0.25...4, roundings: 2, exact: log) { $0.logarithm($1, into: $2) },
    Function("tanh", roundings: 3, exact: Foundation.tanh) { $0.tanh($1, into: $2) },
    Function("erf", roundings: 3, exact: Foundation.erf) { $0.erf($1, into: $2) },
    Function("sigmoid", roundings: 5, exact: sigmoid) { $0.sigmoid($1, into: $2) },
    Function("softplus", roundings: 6, exact: { log(1 + exp($0)) }) { $0.softplus($1, into: $2) },
    Function("leakyReLU", roundings: 1, exact: { max($0, 0.25 * $0) }) {
      $0.leakyReLU($1, slope: 0.25, into: $2)
    },
    Function("gelu", roundings: 10, exact: { $0 * normal($0) }) { $0.gelu($1, into: $2) },
    Function("geluTanh", roundings: 10, exact: { $0 * sigmoid(exponent($0)) }) {
      $0.geluTanh($1, into: $2)
    },
  ]

  /// Slopes by what the gradient takes: x or y.
  private static let gradients = [
    Gradient("leakyReLUGradient", roundings: 1, slope: { $0 > 0 ? 1 : 0.25 }) {
      $0.leakyReLUGradient($1, $2, slope: 0.25, into: $3)
    },
    Gradient("geluGradient", roundings: 20, slope: { normal($0) + $0 * density($0) }) {
      $0.geluGradient($1, $2, into: $3)
    },
    Gradient(
      "geluTanhGradient", roundings: 40,
      slope: {
        let p = sigmoid(exponent($0))
        return p + $0 * p * (1 - p) * (8 / Double.pi).squareRoot() * (1 + 0.134145 * $0 * $0)
      }
    ) { $0.geluTanhGradient($1, $2, into: $3) },
    Gradient("sigmoidGradient", in: 0...1, roundings: 4, slope: { $0 * (1 - $0) }) {
      $0.sigmoidGradient($1, $2, into: $3)
    },
    Gradient("tanhGradient", in: -1...1, roundings: 5, slope: { 1 - $0 * $0 }) {
      $0.tanhGradient($1, $2, into: $3)
    },
  ]

  private static func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
  private static func normal(_ x: Double) -> Double { erfc(-x * 0.5.squareRoot()) / 2 }
  private static func density(_ x: Double) -> Double {
    exp(-x * x / 2) / (2 * Double.pi).squareRoot()
  }
  /// Of GELU's approximation by tanh.
  private static func exponent(_ x: Double) -> Double {
    (8 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)
  }
}

/// y = f(x), elementwise.
private struct Function: Sendable {
  let name: String
  let range: ClosedRange<Float>
  let roundings: Int
  let exact: @Sendable (Double) -> Double
  let kernel: @Sendable (KernelSet, _ x: Matrix, _ y: Matrix) -> Void

  init(
    _ name: String, in range: ClosedRange<Float> = -4...4, roundings: Int,
    exact: @escaping @Sendable (Double) -> Double,
    kernel: @escaping @Sendable (KernelSet, _ x: Matrix, _ y: Matrix) -> Void
  ) {
    (self.name, self.range, self.roundings) = (name, range, roundings)
    (self.exact, self.kernel) = (exact, kernel)
  }

  func forward(_ count: Int) -> KernelCase {
    KernelCase(
      group: .activation, kernel: name, shape: "\(count)", bytes: 8 * count, footprint: 8 * count
    ) { kernels in
      let x = Operand<Float>(count, seed: 1, in: range)
      let y = Operand<Float>(results: count)
      return PreparedKernel(
        call: { kernel(kernels, x.matrix(1, count), y.matrix(1, count)) }, count: count,
        result: { Double(y.base[$0]) }
      ) { Expected(exact(Double(x.base[$0])), roundings: roundings) }
    }
  }
}

/// dx = dy f'(x), by x or by y = f(x), whichever the kernel takes.
private struct Gradient: Sendable {
  let name: String
  let range: ClosedRange<Float>
  let roundings: Int
  let slope: @Sendable (Double) -> Double
  let kernel: @Sendable (KernelSet, _ taken: Matrix, _ dy: Matrix, _ dx: Matrix) -> Void

  init(
    _ name: String, in range: ClosedRange<Float> = -4...4, roundings: Int,
    slope: @escaping @Sendable (Double) -> Double,
    kernel: @escaping @Sendable (KernelSet, _ taken: Matrix, _ dy: Matrix, _ dx: Matrix) -> Void
  ) {
    (self.name, self.range, self.roundings) = (name, range, roundings)
    (self.slope, self.kernel) = (slope, kernel)
  }

  func backward(_ count: Int) -> KernelCase {
    KernelCase(
      group: .activation, kernel: name, shape: "\(count)", bytes: 12 * count, footprint: 12 * count
    ) { kernels in
      let taken = Operand<Float>(count, seed: 1, in: range)
      let dy = Operand<Float>(count, seed: 2)
      // In place, numbers would shrink call after call.
      let dx = Operand<Float>(results: count)
      return PreparedKernel(
        call: { kernel(kernels, taken.matrix(1, count), dy.matrix(1, count), dx.matrix(1, count)) },
        count: count, result: { Double(dx.base[$0]) }
      ) {
        let scale = Double(dy.base[$0])
        // No slope is above 1.2, nor is any of its terms.
        return Expected(
          scale * slope(Double(taken.base[$0])), roundings: roundings, scale: 1.2 * abs(scale))
      }
    }
  }
}
