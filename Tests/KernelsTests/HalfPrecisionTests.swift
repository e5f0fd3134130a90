import Testing

@testable import Kernels

/// float16 and bfloat16 to float32 and back, over all 65,536 patterns and all boundaries between
/// them. The oracle of float16 is Swift's own type, that of bfloat16 its definition as half of a
/// float32.
struct HalfPrecisionTests {
  static let patterns = (0...UInt16.max).map { $0 }

  private func widened(_ type: ElementType, _ x: [UInt16], _ kernels: KernelSet) -> [UInt32] {
    var y = [Float](repeating: 42, count: x.count)
    kernels.widen(type, count: x.count, x, into: &y)
    return y.map(\.bitPattern)
  }

  private func narrowed(_ type: ElementType, _ x: [Float], _ kernels: KernelSet) -> [UInt16] {
    var y = [UInt16](repeating: 42, count: x.count)
    kernels.narrow(type, count: x.count, x, into: &y)
    return y
  }

  /// The upper half of `x`, or its neighbour where the lower half is more than a tie, or a tie and
  /// the upper half odd.
  private func bfloat16(nearest x: Float) -> UInt16 {
    let (upper, lower) = (UInt16(x.bitPattern >> 16), UInt16(x.bitPattern & 0xffff))
    if x.isNaN { return 0x7fc0 }
    return lower > 0x8000 || lower == 0x8000 && upper % 2 == 1 ? upper + 1 : upper
  }

  @Test("every float16 is widened exactly", arguments: InstructionSet.supported)
  func widenFloat16(instructions: InstructionSet) {
    let expected = Self.patterns.map { pattern in
      // NaN keeps its sign and payload, and becomes quiet.
      pattern & 0x7fff > 0x7c00
        ? UInt32(pattern & 0x8000) << 16 | 0x7fc0_0000 | UInt32(pattern & 0x3ff) << 13
        : Float(Float16(bitPattern: pattern)).bitPattern
    }
    let result = widened(.float16, Self.patterns, KernelSet(instructions))
    #expect(difference(result, expected) == nil)
  }

  @Test("every bfloat16 is the upper half of a float32", arguments: InstructionSet.supported)
  func widenBfloat16(instructions: InstructionSet) {
    let expected = Self.patterns.map { UInt32($0) << 16 }
    let result = widened(.bfloat16, Self.patterns, KernelSet(instructions))
    #expect(difference(result, expected) == nil)
  }

  @Test(
    "what was widened is narrowed to itself, NaN to one NaN", arguments: InstructionSet.supported,
    [(.float16, 0x7c00, 0x7e00), (.bfloat16, 0x7f80, 0x7fc0)]
      as [(ElementType, infinity: UInt16, nan: UInt16)])
  func roundTrip(
    instructions: InstructionSet, format: (type: ElementType, infinity: UInt16, nan: UInt16)
  ) {
    let kernels = KernelSet(instructions)
    let floats = widened(format.type, Self.patterns, kernels).map(Float.init(bitPattern:))
    let expected = Self.patterns.map { $0 & 0x7fff > format.infinity ? format.nan : $0 }
    #expect(difference(narrowed(format.type, floats, kernels), expected) == nil)
  }

  /// Half way between every two neighbours, and one float32 to either side; the upper neighbour of
  /// the largest number counts as 2^16. All these are floats.
  @Test("float16 is rounded to nearest, ties to even", arguments: InstructionSet.supported)
  func boundaries(instructions: InstructionSet) {
    let magnitudes = (0..<UInt16(0x7c00)).flatMap { pattern in
      let lower = Float(Float16(bitPattern: pattern))
      let upper = pattern == 0x7bff ? 0x1p16 : Float(Float16(bitPattern: pattern + 1))
      let middle = (lower + upper) / 2
      return [middle.nextDown, middle, middle.nextUp]
    }
    let x = magnitudes + magnitudes.map { -$0 }
    let y = narrowed(.float16, x, KernelSet(instructions))
    #expect(difference(y, x.map { Float16($0).bitPattern }) == nil)
    // Not by Swift's conversion alone: below the middle is down, above it up, and ties are even.
    let isNearest = magnitudes.indices.allSatisfy {
      let lower = UInt16($0 / 3)
      return y[$0] == [lower, lower + lower % 2, lower + 1][$0 % 3]
    }
    #expect(isNearest)
  }

  /// Every upper half with the lower halves around zero, a tie, and the next upper half.
  @Test("bfloat16 is rounded to nearest, ties to even", arguments: InstructionSet.supported)
  func boundariesBfloat16(instructions: InstructionSet) {
    let kernels = KernelSet(instructions)
    for rest in [0, 1, 0x7fff, 0x8000, 0x8001, 0xffff] as [UInt32] {
      let x = Self.patterns.map { Float(bitPattern: UInt32($0) << 16 | rest) }
      let result = narrowed(.bfloat16, x, kernels)
      #expect(difference(result, x.map(bfloat16)) == nil, "lower half \(rest)")
    }
  }

  @Test(
    "limits of float16", arguments: InstructionSet.supported,
    [
      (65504, 0x7bff), (65519.996, 0x7bff), (65520, 0x7c00), (-65520, 0xfc00), (1e30, 0x7c00),
      (.infinity, 0x7c00), (-.infinity, 0xfc00), (.nan, 0x7e00), (-.nan, 0x7e00),
      (Float(nan: 1, signaling: true), 0x7e00), (0, 0), (-0.0, 0x8000), (0x1p-14, 0x0400),
      (0x1p-24, 0x0001), (0x1p-25, 0), (0x1.000002p-25, 0x0001), (-0x1.8p-24, 0x8002),
      (0x1p-149, 0), (-0x1p-149, 0x8000), (0x1.ff8p-15, 0x03ff), (0x1.ffcp-15, 0x0400),
    ] as [(Float, UInt16)])
  func limits(instructions: InstructionSet, example: (x: Float, y: UInt16)) {
    let x = [Float](repeating: example.x, count: 40)
    let y = narrowed(.float16, x, KernelSet(instructions))
    #expect(y == [UInt16](repeating: example.y, count: 40))
  }

  @Test("random floats of any size are narrowed", arguments: InstructionSet.supported)
  func random(instructions: InstructionSet) {
    let kernels = KernelSet(instructions)
    for count in sizes + [20_011] {
      // Half of them within the range of float16.
      let x = Float.values(count, 1).enumerated().map { i, value in
        i % 2 == 0
          ? value : Float(sign: value.sign, exponent: i % 48 - 30, significand: value.significand)
      }
      let float16 = x.map { $0.isNaN ? 0x7e00 : Float16($0).bitPattern }
      #expect(difference(narrowed(.float16, x, kernels), float16) == nil, "\(count)")
      #expect(difference(narrowed(.bfloat16, x, kernels), x.map(bfloat16)) == nil, "\(count)")
    }
  }

  @Test("any number of elements is widened", arguments: InstructionSet.supported)
  func widenSizes(instructions: InstructionSet) {
    let kernels = KernelSet(instructions)
    for count in sizes {
      let x = (0..<count).map { UInt16(truncatingIfNeeded: $0 * 20_011) & 0xbfff }
      let float16 = x.map { Float(Float16(bitPattern: $0)).bitPattern }
      #expect(difference(widened(.float16, x, kernels), float16) == nil)
      #expect(difference(widened(.bfloat16, x, kernels), x.map { UInt32($0) << 16 }) == nil)
    }
  }
}
