import Foundation
import Kernels

extension KernelCase {
  /// The losses over one target an output.
  static let valueLosses = [
    ValueLoss("squaredError", roundings: 4) {
      ($0 - $1) * ($0 - $1)
    } slope: {
      2 * ($0 - $1)
    } kernel: {
      $0.squaredError($1, targets: $2, losses: $3, into: $4)
    },
    ValueLoss("absoluteError", roundings: 2) {
      abs($0 - $1)
    } slope: {
      sign($0 - $1)
    } kernel: {
      $0.absoluteError($1, targets: $2, losses: $3, into: $4)
    },
    ValueLoss("huber", roundings: 4) {
      let d = abs($0 - $1)
      return d <= 0.5 ? d * d / 2 : 0.5 * (d - 0.25)
    } slope: {
      abs($0 - $1) <= 0.5 ? $0 - $1 : 0.5 * sign($0 - $1)
    } kernel: {
      $0.huber($1, targets: $2, delta: 0.5, losses: $3, into: $4)
    },
    ValueLoss("binaryCrossEntropy", targets: 0...1, roundings: 16) {
      log(1 + exp($0)) - $0 * $1
    } slope: {
      1 / (1 + exp(-$0)) - $1
    } kernel: {
      $0.binaryCrossEntropy($1, targets: $2, losses: $3, into: $4)
    },
    // Of any targets, though meant for -1 and 1.
    ValueLoss("hinge", roundings: 4) {
      max(0, 1 - $0 * $1)
    } slope: {
      $0 * $1 < 1 ? -$1 : 0
    } kernel: {
      $0.hinge($1, targets: $2, losses: $3, into: $4)
    },
  ]

  private static func sign(_ x: Double) -> Double { x > 0 ? 1 : x < 0 ? -1 : 0 }
}

/// A loss that is a mean over a row's outputs, each with its target.
struct ValueLoss: Sendable {
  typealias Term = @Sendable (_ x: Double, _ target: Double) -> Double
  typealias Kernel =
    @Sendable (
      KernelSet, _ x: Matrix, _ targets: UnsafePointer<Float>,
      _ losses: UnsafeMutablePointer<Float>, _ dx: Matrix
    ) -> Void

  let name: String
  let targets: ClosedRange<Float>
  /// Of one output's loss and its slope, which are 4 at most with all that they are made of.
  let roundings: Int
  let loss: Term
  let slope: Term
  let kernel: Kernel

  init(
    _ name: String, targets: ClosedRange<Float> = -1...1, roundings: Int, loss: @escaping Term,
    slope: @escaping Term, kernel: @escaping Kernel
  ) {
    (self.name, self.targets, self.roundings) = (name, targets, roundings)
    (self.loss, self.slope, self.kernel) = (loss, slope, kernel)
  }

  /// The results are the losses, then the gradient.
  func evaluation(rows: Int, columns: Int) -> KernelCase {
    let count = rows * columns
    let bytes = 12 * count + 4 * rows
    return KernelCase(
      group: .loss, kernel: name, shape: "\(rows)x\(columns)", bytes: bytes, footprint: bytes
    ) { kernels in
      let x = Operand<Float>(count, seed: 1)
      let t = Operand<Float>(count, seed: 2, in: targets)
      let losses = Operand<Float>(results: rows)
      let dx = Operand<Float>(results: count)
      func value(_ term: Term, _ index: Int) -> Double {
        term(Double(x.base[index]), Double(t.base[index])) / Double(columns)
      }
      return PreparedKernel(
        call: {
          kernel(
            kernels, x.matrix(rows, columns), t.base, losses.base, dx.matrix(rows, columns))
        }, count: rows + count,
        result: { Double($0 < rows ? losses.base[$0] : dx.base[$0 - rows]) }
      ) { index in
        if index < rows {
          let terms = (0..<columns).map { value(loss, index * columns + $0) }
          return Expected(terms.reduce(0, +), roundings: columns + roundings, scale: 4)
        }
        return Expected(
          value(slope, index - rows), roundings: roundings + 1, scale: 4 / Double(columns))
      }
    }
  }
}
