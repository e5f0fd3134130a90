import Collective

/// What a benchmark does with the ranks' numbers.
public enum ReductionChoice: String, CaseIterable, Sendable {
  case sum, average, minimum, maximum, product
}

/// A type of numbers whose reductions can be checked exactly.
protocol BenchmarkElement: Reducible, Equatable {
  /// Integers up to this magnitude are exact.
  static var exactLimit: Int { get }

  /// - Precondition: the magnitude of `integer` is at most `exactLimit`.
  init(exact integer: Int)

  /// The mean of `ranks` numbers of this sum: as a quotient, and as a product with the reciprocal, which
  /// is rounded twice. Both are right. Means of integers are truncated.
  static func means(ofSum sum: Int, ranks: Int) -> (quotient: Self, product: Self)

  /// Turns sums over `ranks` numbers into their means, in place.
  static func average(_ sums: UnsafeMutableBufferPointer<Self>, ranks: Int)
}

extension BenchmarkElement {
  static var byteCount: Int { elementType.byteCount }
}

extension BenchmarkElement where Self: BinaryFloatingPoint {
  static var exactLimit: Int { 1 << (significandBitCount + 1) }

  init(exact integer: Int) { self = Self(exactly: integer)! }

  static func means(ofSum sum: Int, ranks: Int) -> (quotient: Self, product: Self) {
    (Self(exact: sum) / Self(exact: ranks), Self(exact: sum) * (1 / Self(exact: ranks)))
  }

  static func average(_ sums: UnsafeMutableBufferPointer<Self>, ranks: Int) {
    let factor = 1 / Self(exact: ranks)
    for index in sums.indices { sums[index] *= factor }
  }
}

extension BenchmarkElement where Self: FixedWidthInteger {
  static var exactLimit: Int { Int(max) }

  init(exact integer: Int) { self = Self(integer) }

  static func means(ofSum sum: Int, ranks: Int) -> (quotient: Self, product: Self) {
    let mean = Self(exact: sum / ranks)
    return (mean, mean)
  }

  static func average(_ sums: UnsafeMutableBufferPointer<Self>, ranks: Int) {
    let divisor = Self(exact: ranks)
    for index in sums.indices { sums[index] /= divisor }
  }
}

extension Float: BenchmarkElement {}
extension Double: BenchmarkElement {}
extension Int32: BenchmarkElement {}
extension Int64: BenchmarkElement {}
