import Foundation
import Testing

@testable import Kernels

/// Softmax and cross-entropy against Double.
///
/// With D = the largest distance from the row's maximum, u = 2^-24 and n columns: an exponent is
/// rounded once (relative error D u of the exponential), the exponential is good to 2 ulp (4 u),
/// the sum adds n u, the reciprocal and the product 2 u. Numerator and denominator together:
/// (2 (D + 4) + n + 3) u. Below e^-87.3 the kernel gives 0: 2^-126 of absolute error.
struct SoftmaxTests {
  private func probabilities(_ row: ArraySlice<Float>) -> [Double] {
    let top = Double(row.max() ?? 0)
    let e = row.map { exp(Double($0) - top) }
    let sum = e.reduce(0, +)
    return e.map { $0 / sum }
  }

  private func relativeError(_ row: ArraySlice<Float>) -> Double {
    let distance = Double(row.max() ?? 0) - Double(row.min() ?? 0)
    // Beyond 88 the result is 0, whatever the exponent's error.
    return (2 * (min(distance, 88) + 4) + Double(row.count) + 3) * unitRoundoff
  }

  @Test(
    "softmax and cross-entropy are those of Double", arguments: InstructionSet.supported, sizes)
  func accuracy(instructions: InstructionSet, columns: Int) {
    guard columns > 0 else { return }
    let kernels = KernelSet(instructions)
    for scale: Float in [0.01, 1, 10, 300] {
      var x = Grid(rows: 3, columns: columns, random: 5)
      x.values = x.values.map { $0 * scale }
      let labels = (0..<3).map { Int32(($0 * 31 + columns - 1) % columns) }
      let softmax = kernels.softmax(x)
      let (losses, gradient) = kernels.softmaxCrossEntropy(x, labels: labels)
      for i in 0..<3 {
        let range = i * columns..<(i + 1) * columns
        let row = x.values[range]
        let exact = probabilities(row)
        let relative = relativeError(row)
        var wrong = 0
        for j in 0..<columns {
          let tolerance = relative * exact[j] + 0x1p-126
          if !((Double(softmax.values[i * columns + j]) - exact[j]).magnitude <= tolerance) {
            wrong += 1
          }
          // Taking 1 from the label's probability rounds once more.
          let target = exact[j] - (j == Int(labels[i]) ? 1 : 0)
          let error = (Double(gradient.values[i * columns + j]) - target).magnitude
          if !(error <= tolerance + unitRoundoff * target.magnitude) { wrong += 1 }
        }
        #expect(wrong == 0, "row \(i), scale \(scale)")
        // loss = log(sum) - (score - top): the sum's relative error is the logarithm's absolute
        // one, which adds 2 ulp of its own; two subtractions round.
        let top = Double(row.max()!)
        let logSum = log(row.reduce(0) { $0 + exp(Double($1) - top) })
        let distance = top - Double(row[row.startIndex + Int(labels[i])])
        let tolerance = relative + (4 * logSum + 2 * distance + logSum) * unitRoundoff
        #expect((Double(losses.values[i]) - (logSum + distance)).magnitude <= tolerance)
      }
    }
  }

  @Test("outputs may be the inputs", arguments: InstructionSet.supported, [1, 10, 16, 33])
  func inPlace(instructions: InstructionSet, columns: Int) {
    let kernels = KernelSet(instructions)
    let x = Grid(rows: 3, columns: columns, random: 5)
    let labels = [Int32](repeating: Int32(columns / 2), count: 3)
    let softmax = Grid(rows: 3, columns: columns) { y in
      y.fill(x)
      kernels.softmax(y, into: y)
    }
    #expect(softmax == kernels.softmax(x))
    var losses: [Float] = [0, 0, 0]
    let gradient = Grid(rows: 3, columns: columns) { dx in
      dx.fill(x)
      kernels.softmaxCrossEntropy(dx, labels: labels, losses: &losses, into: dx)
    }
    let expected = kernels.softmaxCrossEntropy(x, labels: labels)
    #expect(gradient == expected.gradient && losses == expected.losses.values)
  }

  /// Between 17 and 87.3 the sum 1 + e^-t is 1 in Float, and the second probability is the kernel's
  /// exponential itself; its argument is reduced by multiples of log 2, so this covers every
  /// remainder many times.
  @Test("the exponential is good to 2 ulp", arguments: InstructionSet.supported)
  func exponential(instructions: InstructionSet) {
    let kernels = KernelSet(instructions)
    let arguments = stride(from: Float(17.5), to: 87.3, by: 0.004_1).map { -$0 }
    let y = kernels.softmax(
      Grid(rows: arguments.count, columns: 2, arguments.flatMap { [0, $0] }))
    var worst = 0.0
    for (i, argument) in arguments.enumerated() {
      let exact = exp(Double(argument))
      let error = (Double(y.values[2 * i + 1]) - exact).magnitude
      worst = max(worst, error / Double(Float(exact).ulp))
    }
    #expect(worst <= 2)
  }

  @Test(
    "below the smallest normal number the exponential is 0", arguments: InstructionSet.supported)
  func underflow(instructions: InstructionSet) {
    let kernels = KernelSet(instructions)
    let y = kernels.softmax(Grid(rows: 3, columns: 2, [0, -87.3, 0, -87.4, 0, -1e30]))
    #expect(y.values[1] >= Float.leastNormalMagnitude)
    #expect(Array(y.values[2...]) == [1, 0, 1, 0])
  }

  /// n equal logits: the sum is n exactly, and the loss is log n.
  @Test("the logarithm is good to 2 ulp", arguments: InstructionSet.supported)
  func logarithm(instructions: InstructionSet) {
    let kernels = KernelSet(instructions)
    for n in 1...1500 {
      let x = Grid(rows: 1, columns: n, [Float](repeating: -3, count: n))
      let loss = kernels.softmaxCrossEntropy(x, labels: [Int32(n - 1)]).losses.values[0]
      let exact = log(Double(n))
      #expect((Double(loss) - exact).magnitude <= 2 * Double(Float(exact).ulp), "log \(n)")
    }
  }

  @Test("large logits neither overflow nor vanish", arguments: InstructionSet.supported)
  func largeLogits(instructions: InstructionSet) {
    let kernels = KernelSet(instructions)
    let x = Grid(
      rows: 4, columns: 2, [1000, -1000, -1000, 1000, -1000, -1000, 3e38, -1e38])
    #expect(kernels.softmax(x).values == [1, 0, 0, 1, 0.5, 0.5, 1, 0])
    let (losses, gradient) = kernels.softmaxCrossEntropy(x, labels: [0, 0, 1, 0])
    #expect(losses.values[0] == 0 && losses.values[1] == 2000 && losses.values[3] == 0)
    #expect((Double(losses.values[2]) - log(2)).magnitude <= 2 * Double(Float(0.5).ulp))
    #expect(gradient.values == [0, 0, -1, 1, 0.5, -0.5, 0, 0])
  }

  @Test(
    "a NaN or an infinite logit makes its row NaN, and no other",
    arguments: InstructionSet.supported, [1, 4, 10, 17, 33])
  func nonFinite(instructions: InstructionSet, columns: Int) {
    let kernels = KernelSet(instructions)
    let finite = Grid(rows: 3, columns: columns, random: 8)
    let clean = kernels.softmax(finite)
    for place in 0..<columns {
      for value in [Float.nan, .infinity] {
        var x = finite
        x.values[columns + place] = value
        let labels = [Int32](repeating: 0, count: 3)
        let (losses, gradient) = kernels.softmaxCrossEntropy(x, labels: labels)
        #expect(losses.values.map { $0.isNaN } == [false, true, false], "\(value) at \(place)")
        #expect(gradient.part(1..<2).isAllNaN)
        let y = kernels.softmax(x)
        #expect(y.part(1..<2).isAllNaN)
        #expect(y.part(0..<1) == clean.part(0..<1) && y.part(2..<3) == clean.part(2..<3))
      }
    }
  }

  @Test("a logit of -infinity has probability 0", arguments: InstructionSet.supported)
  func minusInfinity(instructions: InstructionSet) {
    let kernels = KernelSet(instructions)
    let x = Grid(rows: 1, columns: 3, [1, -.infinity, 1])
    #expect(kernels.softmax(x).values == [0.5, 0, 0.5])
    let (losses, gradient) = kernels.softmaxCrossEntropy(x, labels: [1])
    #expect(losses.values == [.infinity])
    #expect(gradient.values == [0.5, -1, 0.5])
  }
}
