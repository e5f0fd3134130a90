import Testing

@testable import Kernels

/// The optimizers' updates, in every kernel set.
struct OptimizerUpdateTests {
  /// Operands are below 4, quotients' denominators above 0.05, and there are at most 12 roundings,
  /// none of them amplified more than tenfold (of a square root near 0.3, of a quotient): 12 x 4 x
  /// 10 u at most, with u = 2^-24. A wrong term would be off by 1e-3 or more.
  @Test(
    "updates follow their formulas", arguments: InstructionSet.supported,
    OptimizerUpdate.allCases)
  func formulas(instructions: InstructionSet, update: OptimizerUpdate) {
    let kernels = KernelSet(instructions)
    for count in sizes {
      let (result, exact) = (update.run(kernels, count: count), update.exact(count: count))
      for (values, expected) in [
        (result.parameters, exact.parameters), (result.a, exact.a), (result.b, exact.b),
        (result.c, exact.c),
      ] {
        let wrong = zip(values, expected).count {
          !((Double($0) - $1).magnitude <= 480 * unitRoundoff)
        }
        #expect(wrong == 0, "\(count)")
      }
      // Squares are exact and their sums are in double precision: what is summed was rounded.
      for (norm, expected) in zip(result.sums, exact.sums) {
        #expect((norm - expected).magnitude <= 480 * unitRoundoff * expected, "\(count)")
      }
    }
  }

  @Test("kernel sets agree to the bit, but for the order of sums")
  func sameBits() {
    for update in OptimizerUpdate.allCases {
      var expected = update.run(KernelSet(.baseline), count: 67)
      for instructions in InstructionSet.supported {
        var result = update.run(KernelSet(instructions), count: 67)
        (result.sums, expected.sums) = ([], [])
        #expect(difference(result.bits, expected.bits) == nil, "\(update), \(instructions)")
      }
    }
  }

  /// Whole vectors and the short one at the end must agree: otherwise bits would depend on where in
  /// a buffer an element lies.
  @Test("an element gets the same bits at any place", arguments: InstructionSet.supported)
  func anyPlace(instructions: InstructionSet) {
    let kernels = KernelSet(instructions)
    for update in OptimizerUpdate.allCases {
      let long = update.run(kernels, count: 67).parameters
      // Operands are drawn in order: the first ones are the same.
      for count in 0..<67 {
        let short = update.run(kernels, count: count).parameters
        #expect(difference(short, Array(long[..<count])) == nil, "\(update)")
      }
    }
  }

  @Test("a sum of squares is that of Double", arguments: InstructionSet.supported, sizes)
  func sumOfSquares(instructions: InstructionSet, count: Int) {
    let kernels = KernelSet(instructions)
    // 1e30 squared is no Float.
    for factor: Float in [1, 1e30] {
      let x = randomValues(count, 1).map { $0 * factor }
      let exact = x.reduce(0) { $0 + Double($1) * Double($1) }
      let sum = x.withUnsafeBufferPointer(kernels.sumOfSquares)
      #expect((sum - exact).magnitude <= Double(2 * count) * 0x1p-53 * exact)
    }
  }

  @Test(
    "what is zero with its gradient and states stays zero", arguments: InstructionSet.supported)
  func padding(instructions: InstructionSet) {
    let kernels = KernelSet(instructions)
    let zeros = [Float](repeating: 0, count: 16)
    let moments = OptimizerUpdate.moments
    var (w, a, b) = (zeros, zeros, zeros)
    zeros.withUnsafeBufferPointer { g in
      w.withUnsafeMutableBufferPointer { w in
        a.withUnsafeMutableBufferPointer { a in
          b.withUnsafeMutableBufferPointer { b in
            let terms = OptimizerUpdate.terms
            kernels.adam(w, first: a, second: b, gradients: g, terms, moments, rate: 1)
            kernels.adagrad(w, squares: b, gradients: g, terms, epsilon: 1e-30, rate: 1)
            kernels.rmsprop(
              w, squares: b, averages: a, velocity: nil, gradients: g, terms,
              average: OptimizerUpdate.average, epsilon: 1e-30, momentum: 0, rate: 1)
          }
        }
      }
    }
    #expect(w == zeros && a == zeros && b == zeros)
  }

  @Test("NaN comes through clamping", arguments: InstructionSet.supported, [0, 7, 16, 20])
  func nonFinite(instructions: InstructionSet, place: Int) {
    let kernels = KernelSet(instructions)
    func step(_ gradient: Float) -> [Float] {
      var w = [Float](repeating: 1, count: 21)
      var g = [Float](repeating: 0, count: 21)
      g[place] = gradient
      g.withUnsafeBufferPointer { g in
        w.withUnsafeMutableBufferPointer {
          kernels.descend($0, gradients: g, GradientTerms(limit: 0.5), rate: 1)
        }
      }
      return w
    }
    #expect(step(.nan).indices.allSatisfy { step(.nan)[$0].isNaN == ($0 == place) })
    #expect(step(.infinity)[place] == 0.5)
    #expect(step(-.infinity)[place] == 1.5)
  }
}
