import Foundation
import Testing

@testable import Kernels

/// Losses of one target a column, and their gradients, against Double.
///
/// A row of n terms, none negative, adds n u to the relative error of its terms, and its mean 2 u;
/// u = 2^-24.
struct LossTests {
  struct Loss: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var loss: @Sendable (_ x: Double, _ target: Double) -> Double
    var slope: @Sendable (_ x: Double, _ target: Double) -> Double
    /// The largest relative error of a term, in u.
    var lossError: Double
    /// The largest error of a slope, in u.
    var slopeError: @Sendable (_ x: Double, _ target: Double) -> Double
    /// Turns a number in -1..<1 into a target.
    var target: @Sendable (Float) -> Float = { $0 }
    var evaluate:
      @Sendable (KernelSet, Matrix, UnsafePointer<Float>, UnsafeMutablePointer<Float>, Matrix) ->
        Void

    func callAsFunction(
      _ kernels: KernelSet, _ x: Grid, _ targets: Grid
    ) -> (losses: Grid, gradient: Grid) {
      kernels.withGradient(x) { x, losses, dx in
        targets.read { evaluate(kernels, x, $0.base, losses.base, dx) }
      }
    }

    /// Whether x is so close to where the slope jumps that rounding decides on which side it is.
    var isAtJump: @Sendable (_ x: Double, _ target: Double) -> Bool = { _, _ in false }
  }

  static let losses = [
    // The difference rounds, and counts twice in its square, which rounds as well.
    Loss(
      testDescription: "squared error", loss: { ($0 - $1) * ($0 - $1) }, slope: { 2 * ($0 - $1) },
      lossError: 3, slopeError: { 2 * ($0 - $1).magnitude },
      evaluate: { $0.squaredError($1, targets: $2, losses: $3, into: $4) }),
    Loss(
      testDescription: "absolute error", loss: { ($0 - $1).magnitude },
      slope: { $0 > $1 ? 1 : $0 < $1 ? -1 : 0 }, lossError: 1, slopeError: { _, _ in 0 },
      evaluate: { $0.absoluteError($1, targets: $2, losses: $3, into: $4) }),
    // Beyond delta, the distance less delta / 2 is half of the distance at least: twice its error.
    Loss(
      testDescription: "Huber",
      loss: { x, t in
        let (d, delta) = ((x - t).magnitude, 0.5)
        return d <= delta ? d * d / 2 : delta * (d - delta / 2)
      },
      slope: { min(max($0 - $1, -0.5), 0.5) }, lossError: 4, slopeError: { _, _ in 0.5 },
      evaluate: { $0.huber($1, targets: $2, delta: 0.5, losses: $3, into: $4) }),
    // An exponential is good to 2.2 u, log(1 + e) to 3 more; the other term to 2; the sum rounds.
    Loss(
      testDescription: "binary cross-entropy",
      loss: { max($0, 0) - $0 * $1 + log1p(exp(-$0.magnitude)) },
      slope: { $0 > 0 ? (1 - $1) - 1 / (1 + exp($0)) : 1 / (1 + exp(-$0)) - $1 }, lossError: 7,
      // q to 4.2 u, the other side of the target to 1, their difference rounds.
      slopeError: { x, t in 5.2 / (1 + exp(x.magnitude)) + 2 * (x > 0 ? 1 - t : t) },
      target: { abs($0) < 0.3 ? 0 : abs($0) > 0.7 ? 1 : abs($0) },
      evaluate: { $0.binaryCrossEntropy($1, targets: $2, losses: $3, into: $4) }),
    Loss(
      testDescription: "hinge", loss: { max(0, 1 - $0 * $1) }, slope: { $0 * $1 < 1 ? -$1 : 0 },
      lossError: 1, slopeError: { _, _ in 0 }, target: { $0 < 0 ? -1 : 1 },
      evaluate: { $0.hinge($1, targets: $2, losses: $3, into: $4) },
      isAtJump: { ($0 * $1 - 1).magnitude < 1e-7 }),
  ]

  @Test("losses and gradients are those of Double", arguments: losses)
  func accuracy(loss: Loss) {
    for kernels in InstructionSet.supported.map(KernelSet.init) {
      for columns in sizes where columns > 0 {
        for scale: Float in [0.3, 3, 30] {
          var x = Grid(rows: 3, columns: columns, random: 1)
          x.values = x.values.map { $0 * scale }
          var targets = Grid(rows: 3, columns: columns, random: 2)
          targets.values = targets.values.map(loss.target)
          let (losses, gradient) = loss(kernels, x, targets)
          for i in 0..<3 {
            var sum = 0.0
            for j in i * columns..<(i + 1) * columns {
              let (x, t) = (Double(x.values[j]), Double(targets.values[j]))
              sum += loss.loss(x, t)
              if loss.isAtJump(x, t) { continue }
              // The share is rounded, and the product with it.
              let slope = loss.slope(x, t)
              let bound = loss.slopeError(x, t) + 2.01 * slope.magnitude
              let error = (Double(gradient.values[j]) * Double(columns) - slope).magnitude
              #expect(error <= bound * unitRoundoff, "\(columns) columns, \(x) for \(t)")
            }
            let bound = (Double(columns) + loss.lossError + 2) * sum * unitRoundoff
            let error = (Double(losses.values[i]) * Double(columns) - sum).magnitude
            #expect(error <= bound, "\(columns) columns, row \(i)")
          }
          // dx may be x.
          let inPlace = Grid(rows: 3, columns: columns) { dx in
            dx.fill(x)
            var losses: [Float] = [0, 0, 0]
            targets.read { loss.evaluate(kernels, dx, $0.base, &losses, dx) }
          }
          #expect(inPlace.bits == gradient.bits)
        }
      }
    }
  }

  /// Central differences, away from where the slope jumps: off by h^2 / 6 times the third
  /// derivative, which is below 1, and by the values' rounding over h.
  @Test("the slopes of these tests are those of the losses", arguments: losses)
  func slopes(loss: Loss) {
    let h = 1e-5
    for t in [-1.0, 0.25, 1] {
      for x in stride(from: -5.03, through: 5, by: 0.1) {
        let slope = (loss.loss(x + h, t) - loss.loss(x - h, t)) / (2 * h)
        #expect((slope - loss.slope(x, t)).magnitude < h * h + 1e-9, "\(x) for \(t)")
      }
    }
  }

  @Test("a row's bits depend on that row only", arguments: losses)
  func rows(loss: Loss) {
    for kernels in InstructionSet.supported.map(KernelSet.init) {
      for columns in [1, 10, 16, 37] {
        let x = Grid(rows: 5, columns: columns, random: 1)
        let targets = Grid(rows: 5, columns: columns, random: 2)
        let (losses, gradient) = loss(kernels, x, targets)
        for i in 0..<5 {
          let one = loss(kernels, x.part(i..<i + 1), targets.part(i..<i + 1))
          #expect(one.losses.bits == [losses.bits[i]])
          #expect(one.gradient.bits == gradient.part(i..<i + 1).bits)
        }
      }
    }
  }

  @Test("NaN makes its row's loss NaN, and its gradient, and no other", arguments: losses)
  func nonFinite(loss: Loss) {
    for kernels in InstructionSet.supported.map(KernelSet.init) {
      for columns in [1, 4, 10, 17, 33] {
        for place in 0..<columns {
          var x = Grid(rows: 3, columns: columns, random: 1)
          let targets = Grid(rows: 3, columns: columns, [Float](repeating: 1, count: 3 * columns))
          x.values[columns + place] = .nan
          let (losses, gradient) = loss(kernels, x, targets)
          #expect(losses.values.map(\.isNaN) == [false, true, false])
          #expect(
            gradient.values.indices.allSatisfy {
              gradient.values[$0].isNaN == ($0 == columns + place)
            })
        }
      }
    }
  }

  @Test("far outputs have the losses of their limits", arguments: InstructionSet.supported)
  func limits(instructions: InstructionSet) {
    let kernels = KernelSet(instructions)
    let x = Grid(rows: 4, columns: 1, [1000, 1000, -1000, -1000])
    let targets = Grid(rows: 4, columns: 1, [0, 1, 0, 1])
    let entropy = LossTests.losses[3](kernels, x, targets)
    #expect(entropy.losses.values == [1000, 0, 0, 1000])
    #expect(entropy.gradient.values == [1, 0, 0, -1])
    let huber = LossTests.losses[2](
      kernels, Grid(rows: 2, columns: 1, [3e38, -.infinity]), Grid(rows: 2, columns: 1, [0, 0]))
    #expect(huber.losses.values == [1.5e38, .infinity])
    #expect(huber.gradient.values == [0.5, -0.5])
  }

  /// Scores are multiples of 2^-8 below 2^8, so that every margin is exact: what is left is n + 2
  /// roundings of the mean.
  @Test(
    "multi-class hinge adds the margins by which a column comes too close to the label's",
    arguments: InstructionSet.supported, sizes)
  func multiClassHinge(instructions: InstructionSet, columns: Int) {
    guard columns > 0 else { return }
    let kernels = KernelSet(instructions)
    var x = Grid(rows: 3, columns: columns, random: 1)
    x.values = x.values.map { ($0 * 512).rounded() / 256 }
    let labels: [Int32] = [0, Int32(columns / 2), Int32(columns - 1)]
    let (losses, gradient) = kernels.withGradient(x) { x, losses, dx in
      kernels.multiClassHinge(x, labels: labels, losses: losses.base, into: dx)
    }
    for i in 0..<3 {
      let row = x.part(i..<i + 1).values.map(Double.init)
      let label = Int(labels[i])
      let margins = row.indices.map { $0 == label ? 0 : 1 + row[$0] - row[label] }
      let sum = margins.reduce(0) { $0 + max($1, 0) }
      let error = (Double(losses.values[i]) * Double(columns) - sum).magnitude
      #expect(error <= Double(columns + 2) * sum * unitRoundoff)
      let share = 1 / Float(columns)
      var expected = margins.map { $0 > 0 ? share : 0 }
      expected[label] = -Float(margins.count { $0 > 0 }) * share
      #expect(gradient.part(i..<i + 1).values == expected)
    }
    let inPlace = Grid(rows: 3, columns: columns) { dx in
      dx.fill(x)
      var losses: [Float] = [0, 0, 0]
      kernels.multiClassHinge(dx, labels: labels, losses: &losses, into: dx)
    }
    #expect(inPlace == gradient)
    x.values[columns] = .nan
    let withNaN = kernels.withGradient(x) { x, losses, dx in
      kernels.multiClassHinge(x, labels: labels, losses: losses.base, into: dx)
    }
    #expect(withNaN.losses.values.map(\.isNaN) == [false, columns > 1, false])
  }

  /// The loss mixes logarithms of probabilities that are good to the error of `SoftmaxTests`; the
  /// label's score and the mean of scores bring 3 and n + 4 roundings of their own sizes.
  @Test(
    "label smoothing mixes the label with all columns", arguments: InstructionSet.supported, sizes)
  func labelSmoothing(instructions: InstructionSet, columns: Int) {
    guard columns > 0 else { return }
    let kernels = KernelSet(instructions)
    let smoothing = 0.125
    var x = Grid(rows: 3, columns: columns, random: 1)
    x.values = x.values.map { $0 * 8 }
    let labels: [Int32] = [0, Int32(columns / 2), Int32(columns - 1)]
    let (losses, gradient) = kernels.withGradient(x) { x, losses, dx in
      kernels.softmaxCrossEntropy(
        x, labels: labels, smoothing: Float(smoothing), losses: losses.base, into: dx)
    }
    for i in 0..<3 {
      let row = x.part(i..<i + 1).values.map(Double.init)
      let top = row.max()!
      let logSum = log(row.reduce(0) { $0 + exp($1 - top) })
      let relative = (2 * (16 + 4) + Double(columns) + 3) * unitRoundoff
      var (loss, sizes) = (0.0, 0.0)
      for j in 0..<columns {
        let isLabel = j == Int(labels[i])
        let target = smoothing / Double(columns) + (isLabel ? 1 - smoothing : 0)
        loss += target * (logSum - (row[j] - top))
        sizes += target * (top - row[j])
        let p = exp(row[j] - top - logSum)
        // Two subtractions round.
        let bound = relative * p + 2 * unitRoundoff * (p + target)
        #expect((Double(gradient.values[i * columns + j]) - (p - target)).magnitude <= bound)
      }
      let bound = relative + (5 * logSum + Double(columns + 5) * sizes) * unitRoundoff
      #expect((Double(losses.values[i]) - loss).magnitude <= bound)
    }
  }

  @Test(
    "a column without probability makes a smoothed loss infinite",
    arguments: InstructionSet.supported)
  func smoothedInfinity(instructions: InstructionSet) {
    let kernels = KernelSet(instructions)
    let x = Grid(rows: 1, columns: 3, [1, -.infinity, 1])
    let (losses, gradient) = kernels.withGradient(x) { x, losses, dx in
      kernels.softmaxCrossEntropy(
        x, labels: [0], smoothing: 0.75, losses: losses.base, into: dx)
    }
    #expect(losses.values == [.infinity])
    #expect(gradient.values == [0, -0.25, 0.25])
  }
}
