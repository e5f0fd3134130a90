import Foundation
import Testing

@testable import NN

struct PortableFunctionsTests {
  @Test("a power is the product", arguments: [0, 1, 2, 3, 7, 64, 1000])
  func powers(exponent: Int) {
    for base in [0.0, 0.5, 0.9, 0.999, 1] {
      let product = (0..<exponent).reduce(1.0) { product, _ in product * base }
      // One rounding for each factor at most.
      #expect(
        (power(base, exponent) - product).magnitude <= Double(2 * exponent) * 0x1p-53 * product)
    }
  }

  @Test(
    "a power with a fraction is the C library's", arguments: [0, 0.25, 0.5, 0.9, 2.3, 41.7, 100])
  func fractionalPowers(exponent: Double) {
    for step in 0...1000 {
      let base = Double(step) / 1000
      let expected = pow(base, exponent)
      #expect((power(base, exponent) - expected).magnitude <= 0x1p-45 * expected, "\(base)")
    }
    #expect(power(0, exponent) == (exponent == 0 ? 1 : 0) && power(1, exponent) == 1)
  }

  @Test("a power of which only the last bit of the exponent is behind the point comes to an end")
  func smallestFraction() {
    #expect((power(0.5, Double.leastNonzeroMagnitude) - 1).magnitude <= 0x1p-52)
    #expect((power(0.5, 1.0.nextUp) - 0.5).magnitude <= 0x1p-52)
    #expect(power(Double.leastNonzeroMagnitude, 0.5) == 0x1p-537)
  }

  @Test("a raised cosine is the C library's, falls, and is exact at both ends")
  func cosine() {
    for step in 0...10_000 {
      let x = Double(step) / 10_000
      #expect((raisedCosine(x) - (1 + cos(.pi * x)) / 2).magnitude <= 0x1p-50, "\(x)")
      #expect(step == 0 || raisedCosine(x) < raisedCosine(x - 0.0001))
    }
    #expect(raisedCosine(0) == 1 && raisedCosine(1) == 0)
  }

  /// As any machine has to make them: a change would be a change of everybody's results.
  @Test("the bits are those of every machine")
  func bits() {
    let values = [power(0.3, 0.9), power(0.999, 2.5), raisedCosine(0.1), raisedCosine(0.7)]
    #expect(
      values.map(\.bitPattern) == [
        0x3FD5_A813_1B97_FD7C, 0x3FEF_EB89_0D2F_6719, 0x3FEF_3787_09A2_2A80,
        0x3FCA_61B9_F715_4B45,
      ])
  }
}
