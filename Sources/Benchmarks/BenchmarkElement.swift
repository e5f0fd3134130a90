import Collective

/// What a benchmark does with the ranks' numbers.
public enum ReductionChoice: String, CaseIterable, Sendable {
  case sum, average, minimum, maximum, product
}

/// A type of numbers whose reductions can be checked exactly.
protocol BenchmarkElement: Reducible, Equatable {
  /// Integers up to this magnitude are exact.
  static var exactLimit: Int { get }

  init(nearest integer: Int)

  /// The mean of `ranks` numbers of this sum: as a quotient, and as a product with the reciprocal,
  /// which is rounded twice. Both are right. Means of integers are truncated.
  static func means(ofSum sum: Int, ranks: Int) -> (quotient: Self, product: Self)
}

extension BenchmarkElement where Self: BinaryFloatingPoint {
  static var exactLimit: Int { 1 << (significandBitCount + 1) }

  init(nearest integer: Int) { self = Self(integer) }

  static func means(ofSum sum: Int, ranks: Int) -> (quotient: Self, product: Self) {
    (Self(sum) / Self(ranks), Self(sum) * (1 / Self(ranks)))
  }
}

extension BenchmarkElement where Self: FixedWidthInteger {
  static var exactLimit: Int { Int(max) }

  init(nearest integer: Int) { self = Self(integer) }

  static func means(ofSum sum: Int, ranks: Int) -> (quotient: Self, product: Self) {
    (Self(sum / ranks), Self(sum / ranks))
  }
}

extension Float: BenchmarkElement {}
extension Double: BenchmarkElement {}
extension Int32: BenchmarkElement {}
extension Int64: BenchmarkElement {}

// The 16-bit types are computed with in Float, and rounded at the end.

extension Float16: BenchmarkElement {
  static func means(ofSum sum: Int, ranks: Int) -> (quotient: Float16, product: Float16) {
    let means = Float.means(ofSum: sum, ranks: ranks)
    return (Float16(means.quotient), Float16(means.product))
  }
}

extension BFloat16: BenchmarkElement {
  static var exactLimit: Int { 1 << 8 }

  init(nearest integer: Int) { self.init(Float(integer)) }

  static func means(ofSum sum: Int, ranks: Int) -> (quotient: BFloat16, product: BFloat16) {
    let means = Float.means(ofSum: sum, ranks: ranks)
    return (BFloat16(means.quotient), BFloat16(means.product))
  }
}
