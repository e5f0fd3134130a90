@testable import Collective

/// An element type with its exact arithmetic, by way of integers.
protocol ExactElement: Reducible, Equatable where Accumulator: Comparable & Numeric {
  /// Rounded once, if need be.
  init(rounding integer: Int)
  /// The quotient in the accumulator's type, rounded to this one.
  init(average sum: Int, ranks: Int)
}

extension Float: ExactElement {
  init(rounding integer: Int) { self.init(integer) }
  init(average sum: Int, ranks: Int) { self = Float(sum) / Float(ranks) }
}

extension Double: ExactElement {
  init(rounding integer: Int) { self.init(integer) }
  init(average sum: Int, ranks: Int) { self = Double(sum) / Double(ranks) }
}

extension Float16: ExactElement {
  init(rounding integer: Int) { self.init(Float(integer)) }
  init(average sum: Int, ranks: Int) { self.init(Float(sum) / Float(ranks)) }
}

extension BFloat16: ExactElement {
  init(rounding integer: Int) { self.init(Float(integer)) }
  init(average sum: Int, ranks: Int) { self.init(Float(sum) / Float(ranks)) }
}

extension Int32: ExactElement {
  init(rounding integer: Int) { self.init(integer) }
  init(average sum: Int, ranks: Int) { self.init(sum / ranks) }
}

extension Int64: ExactElement {
  init(rounding integer: Int) { self.init(integer) }
  init(average sum: Int, ranks: Int) { self.init(sum / ranks) }
}

let exactTypes: [any ExactElement.Type] = [
  Float.self, Double.self, Float16.self, BFloat16.self, Int32.self, Int64.self,
]

extension Reduction where Element: ExactElement {
  /// As it is called among the tests' operations.
  var name: String { isCustom ? "smaller" : Self.name(ofNumber: number) }

  private var isCustom: Bool {
    if case .custom = body { true } else { false }
  }

  /// All that are built in, and one that is not.
  static var tested: [Reduction] {
    [.sum, .average, .minimum, .maximum, .product, .custom("smaller") { Swift.min($0, $1) }]
  }
}
