/// The types of numbers that a benchmark can reduce, by the names that users give them.
public enum ElementType: String, CaseIterable, Sendable {
  case float32, float64, int32, int64

  /// The size of one element.
  var byteCount: Int {
    switch self {
    case .float32, .int32: 4
    case .float64, .int64: 8
    }
  }
}

/// What a benchmark does with the ranks' numbers.
public enum ReductionChoice: String, CaseIterable, Sendable {
  case sum, average, minimum, maximum, product
}

/// A type of numbers whose reductions can be checked exactly.
protocol BenchmarkElement: BitwiseCopyable, Equatable {
  static var elementType: ElementType { get }
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

extension Float: BenchmarkElement { static var elementType: ElementType { .float32 } }
extension Double: BenchmarkElement { static var elementType: ElementType { .float64 } }
extension Int32: BenchmarkElement { static var elementType: ElementType { .int32 } }
extension Int64: BenchmarkElement { static var elementType: ElementType { .int64 } }
