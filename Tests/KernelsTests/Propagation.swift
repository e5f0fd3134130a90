import Testing

@testable import Kernels

/// Where NaN and infinity go in a kernel: to every element that the number in their place counts for,
/// and to no other. That is found out by the kernel itself, with other numbers there.
struct Propagation {
  /// What is allowed.
  enum Reach {
    /// Everything that depends on the place, and nothing else.
    case exact
    /// More: where products with zeros that stand for nothing, such as padding, are made too.
    case atLeast
  }

  /// Places in each operand.
  private static let places = 3

  /// - Parameters:
  ///   - infinity: whether it comes out as something that is not finite, as it does of sums; not so of
  ///     functions with limits.
  ///   - kernel: all that it writes.
  static func check(
    _ label: String, _ operands: [Grid], infinity: Bool = true, reach: Reach = .exact,
    _ kernel: ([Grid]) -> [Float]
  ) {
    let base = kernel(operands)
    var draws = Draws(label.utf8.count)
    for (number, operand) in operands.enumerated() where !operand.values.isEmpty {
      for _ in 0..<places {
        let place = draws.next(in: 0...operand.values.count - 1)
        func result(with value: Float) -> [Float] {
          var operands = operands
          operands[number].values[place] = value
          return kernel(operands)
        }
        let value = operand.values[place]
        let (raised, lowered) = (result(with: value + 1000), result(with: value - 1000))
        let depends = base.indices.map {
          base[$0].bitPattern != raised[$0].bitPattern
            || base[$0].bitPattern != lowered[$0].bitPattern
        }
        func wrong(_ planted: [Float], _ isReached: (Float) -> Bool) -> Int? {
          base.indices.first {
            depends[$0]
              ? !isReached(planted[$0])
              : reach == .exact && planted[$0].bitPattern != base[$0].bitPattern
          }
        }
        let nan = wrong(result(with: .nan)) { $0.isNaN }
        #expect(nan == nil, "\(label), NaN at \(place) of operand \(number)")
        guard infinity else { continue }
        let infinite = wrong(result(with: .infinity)) { !$0.isFinite }
        #expect(infinite == nil, "\(label), infinity at \(place) of operand \(number)")
      }
    }
  }
}
