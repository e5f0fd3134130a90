import Kernels

/// An element type that is its own accumulator, with the plain arithmetic that kernels are compared
/// to, one element at a time.
protocol ReductionElement: BitwiseCopyable {
  associatedtype Bits: FixedWidthInteger & UnsignedInteger
  static var type: ElementType { get }
  /// Values that kernels get wrong.
  static var corners: [Self] { get }
  init(bits: Bits)
  var bits: Bits { get }
  init(_ small: Int)
  static func reduced(_ kind: ReductionKind, _ a: Self, _ b: Self) -> Self
  static func divided(_ x: Self, by divisor: Int) -> Self
}

extension ReductionElement {
  /// Corners, small integers and random bits by turns at random, other values for every `number`.
  static func values(_ count: Int, _ number: Int) -> [Self] {
    let stream = RandomStream(seed: 3, purpose: .syntheticData, instance: number)
    let corners = corners
    return (0..<count).map { i in
      let words = stream.block(UInt64(i))
      switch words.x % 3 {
      case 0: return corners[Int(words.y) % corners.count]
      case 1: return Self(Int(words.y % 17) - 8)
      default: return Self(bits: Bits(truncatingIfNeeded: UInt64(words.y) << 32 | UInt64(words.z)))
      }
    }
  }
}

protocol FloatingPointElement: ReductionElement, BinaryFloatingPoint {}

extension FloatingPointElement {
  static var corners: [Self] {
    let quiet: [Self] = [.nan, Self(bits: Self.nan.bits | 5), Self(bits: Self.nan.bits | 77)]
    let signaling = [Self(bits: Self.infinity.bits | 1), Self(bits: Self.infinity.bits | 3)]
    let numbers: [Self] = [
      0, .leastNonzeroMagnitude, .leastNormalMagnitude.nextDown, .leastNormalMagnitude, 1,
      .ulpOfOne / 2, 1 + .ulpOfOne, .greatestFiniteMagnitude.nextDown, .greatestFiniteMagnitude,
      .infinity,
    ]
    let positive = quiet + signaling + numbers
    return positive + positive.map { -$0 }
  }

  static func reduced(_ kind: ReductionKind, _ a: Self, _ b: Self) -> Self {
    if a.isNaN || b.isNaN { return .nan }
    // Of zeros, the one with a sign is the smaller.
    let isAscending = a < b || a == b && a.sign == .minus
    let result =
      switch kind {
      case .sum: a + b
      case .product: a * b
      case .minimum: isAscending ? a : b
      case .maximum: isAscending ? b : a
      }
    return result.isNaN ? .nan : result
  }

  static func divided(_ x: Self, by divisor: Int) -> Self { x.isNaN ? .nan : x / Self(divisor) }
}

extension Float: FloatingPointElement {
  static var type: ElementType { .float32 }
  init(bits: UInt32) { self.init(bitPattern: bits) }
  var bits: UInt32 { bitPattern }
}

extension Double: FloatingPointElement {
  static var type: ElementType { .float64 }
  init(bits: UInt64) { self.init(bitPattern: bits) }
  var bits: UInt64 { bitPattern }
}

protocol IntegerElement: ReductionElement, FixedWidthInteger, SignedInteger {}

extension IntegerElement {
  static var corners: [Self] {
    [0, 1, -1, .max, .min, .max - 1, .min + 1, .max / 2, .min / 2, 1 << (bitWidth / 2)]
  }

  static func reduced(_ kind: ReductionKind, _ a: Self, _ b: Self) -> Self {
    switch kind {
    case .sum: a.addingReportingOverflow(b).partialValue
    case .product: a.multipliedReportingOverflow(by: b).partialValue
    case .minimum: a < b ? a : b
    case .maximum: a < b ? b : a
    }
  }

  static func divided(_ x: Self, by divisor: Int) -> Self { Self(Int64(x) / Int64(divisor)) }
}

extension Int32: IntegerElement {
  static var type: ElementType { .int32 }
  init(bits: UInt32) { self.init(bitPattern: bits) }
  var bits: UInt32 { UInt32(bitPattern: self) }
}

extension Int64: IntegerElement {
  static var type: ElementType { .int64 }
  init(bits: UInt64) { self.init(bitPattern: bits) }
  var bits: UInt64 { UInt64(bitPattern: self) }
}

extension ElementType {
  /// The types that are their own accumulators.
  static let accumulators = allCases.filter { $0.accumulator == $0 }

  var element: any ReductionElement.Type {
    switch self {
    case .float32: Float.self
    case .float64: Double.self
    case .int32: Int32.self
    case .int64: Int64.self
    case .float16, .bfloat16: preconditionFailure("\(self) is reduced as \(accumulator)")
    }
  }
}

// Reductions from values to values.
extension KernelSet {
  func combine<E: ReductionElement>(_ kind: ReductionKind, _ a: [E], _ b: [E]) -> [E.Bits] {
    precondition(a.count == b.count)
    var y = [E](repeating: E(42), count: a.count)
    combine(kind, E.type, count: a.count, a, b, into: &y)
    return y.map(\.bits)
  }

  func divide<E: ReductionElement>(_ x: [E], by divisor: Int) -> [E.Bits] {
    var y = x
    divide(E.type, count: y.count, &y, by: divisor)
    return y.map(\.bits)
  }
}

/// The elements after `body` has worked on their memory.
func edited<E: ReductionElement>(
  _ elements: [E], _ body: (UnsafeMutableRawPointer) -> Void
) -> [E.Bits] {
  var y = elements
  y.withUnsafeMutableBytes { if let base = $0.baseAddress { body(base) } }
  return y.map(\.bits)
}
