@testable import Collective

/// A floating-point element type with its arithmetic, an element at a time: the oracle of sums that
/// depend on their order.
protocol FloatElement: ExactElement where Accumulator: BinaryFloatingPoint {
  var accumulator: Accumulator { get }
  /// Rounded once; every NaN becomes the one quiet NaN.
  init(rounding accumulator: Accumulator)
  /// From the lowest bits.
  init(bits: UInt64)
}

extension Float: FloatElement {
  var accumulator: Float { self }
  init(rounding accumulator: Float) { self = accumulator.isNaN ? .nan : accumulator }
  init(bits: UInt64) { self.init(bitPattern: UInt32(truncatingIfNeeded: bits)) }
}

extension Double: FloatElement {
  var accumulator: Double { self }
  init(rounding accumulator: Double) { self = accumulator.isNaN ? .nan : accumulator }
  init(bits: UInt64) { self.init(bitPattern: bits) }
}

extension Float16: FloatElement {
  var accumulator: Float { Float(self) }
  init(rounding accumulator: Float) {
    self = accumulator.isNaN ? .nan : Float16(accumulator)
  }
  init(bits: UInt64) { self.init(bitPattern: UInt16(truncatingIfNeeded: bits)) }
}

extension BFloat16: FloatElement {
  var accumulator: Float { Float(self) }
  init(rounding accumulator: Float) { self.init(accumulator) }
  init(bits: UInt64) { self.init(bitPattern: UInt16(truncatingIfNeeded: bits)) }
}

let floatTypes: [any FloatElement.Type] = [
  Float.self, Double.self, Float16.self, BFloat16.self,
]

extension FloatElement {
  /// Numbers of all magnitudes: a quarter of them infinities, zeros and NaNs of both signs and
  /// several payloads; a quarter close to one, so that sums round; the others random bits.
  static func awkward(count: Int, rank: Int) -> [Self] {
    var state = UInt64(rank + 1) &* 0x9e37_79b9_7f4a_7c15
    return (0..<count).map { _ in
      // xorshift64 (Marsaglia, 2003)
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      let bits = state >> 16
      switch state & 3 {
      case 0:
        let special: [Accumulator] = [
          .infinity, -.infinity, 0, -0.0, .nan, -.nan, .leastNonzeroMagnitude,
          .greatestFiniteMagnitude,
        ]
        let number = Int(state >> 2 & 15)
        // The other half of the specials are NaNs as bits: their payloads would not survive
        // rounding.
        return number < 8
          ? Self(rounding: special[number]) : Self(bits: nanBits | bits & 0x3f | state & (1 << 15))
      case 1:
        return Self(rounding: 1 + Accumulator(bits & 0xffff) / 65536)
      default:
        return Self(bits: state << 3 ^ state >> 29)
      }
    }
  }

  private static var nanBits: UInt64 {
    switch elementType {
    case .float64: 0x7ff4_0000_0000_0000
    case .float32: 0x7fa0_0000
    case .bfloat16: 0x7fa0
    default: 0x7d00
    }
  }

  /// What an operation makes of all ranks' elements along the canonical tree, rounded once.
  static func treeResult(_ inputs: [[Self]], _ reduction: Reduction<Self>) -> [Self] {
    func combined(_ run: Range<Int>, _ index: Int) -> Accumulator {
      guard run.count > 1 else { return inputs[run.lowerBound][index].accumulator }
      var half = 1
      while 2 * half < run.count { half *= 2 }
      let a = combined(run.lowerBound..<run.lowerBound + half, index)
      let b = combined(run.lowerBound + half..<run.upperBound, index)
      if a.isNaN || b.isNaN { return .nan }
      let result: Accumulator =
        switch reduction.name {
        case "sum", "average": a + b
        case "product": a * b
        case "minimum": a < b || a == b && a.sign == .minus ? a : b
        default: a > b || a == b && a.sign == .plus ? a : b
        }
      return result.isNaN ? .nan : result
    }
    return inputs[0].indices.map { index in
      let whole = combined(0..<inputs.count, index)
      return Self(
        rounding: reduction.name == "average" ? whole / Accumulator(inputs.count) : whole)
    }
  }
}
