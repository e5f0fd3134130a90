import Testing

@testable import Kernels

/// Reductions of every element type, in every kernel set, compared bit for bit to the arithmetic of
/// one element (`ReductionElement`) and to results written out.
struct ReductionTests {
  @Test(
    "combine is the arithmetic of one element, in place or not",
    arguments: InstructionSet.supported, ElementType.accumulators)
  func elements(instructions: InstructionSet, type: ElementType) {
    let kernels = KernelSet(instructions)
    func check<E: ReductionElement>(_: E.Type) {
      for (kind, count) in ReductionKind.allCases.flatMap({ kind in sizes.map { (kind, $0) } }) {
        let a = E.values(count, 1)
        let b = E.values(count, 2)
        let expected = zip(a, b).map { E.reduced(kind, $0, $1).bits }
        let shape = "\(kind) of \(count)"
        #expect(difference(kernels.combine(kind, a, b), expected) == nil, "\(shape)")
        let inA = edited(a) { kernels.combine(kind, type, count: count, $0, b, into: $0) }
        #expect(difference(inA, expected) == nil, "\(shape), y is a")
        let inB = edited(b) { kernels.combine(kind, type, count: count, a, $0, into: $0) }
        #expect(difference(inB, expected) == nil, "\(shape), y is b")
        let inBoth = edited(a) { kernels.combine(kind, type, count: count, $0, $0, into: $0) }
        #expect(
          difference(inBoth, a.map { E.reduced(kind, $0, $0).bits }) == nil, "\(shape), all one")
        var y = [E](repeating: E(9), count: count)
        let alsoInB = edited(b) {
          kernels.combine(kind, type, count: count, a, $0, into: &y, and: $0)
        }
        #expect(difference(alsoInB, expected) == nil, "\(shape), z is b")
        #expect(difference(y.map(\.bits), expected) == nil, "\(shape), y beside z")
        // An array's elements are where malloc puts them: 16 bytes are a boundary.
        let streamed = edited(y) {
          kernels.combine(kind, type, count: count, a, b, into: $0, streaming: true)
        }
        #expect(difference(streamed, expected) == nil, "\(shape), past the caches")
      }
    }
    check(type.element)
  }

  /// Every pair of corners, in every lane: shifted by 0 to 15 elements.
  @Test(
    "the order of operands does not show",
    arguments: InstructionSet.supported, ElementType.accumulators)
  func order(instructions: InstructionSet, type: ElementType) {
    let kernels = KernelSet(instructions)
    func check<E: ReductionElement>(_: E.Type) {
      let corners = E.corners
      let pairs = corners.flatMap { a in corners.map { (a, $0) } }
      for lane in 0..<16 {
        let padding = [(E, E)](repeating: (E(1), E(2)), count: lane)
        let a = (padding + pairs).map(\.0)
        let b = (padding + pairs).map(\.1)
        for kind in ReductionKind.allCases {
          let result = kernels.combine(kind, a, b)
          #expect(difference(result, kernels.combine(kind, b, a)) == nil, "\(kind)")
          let expected = zip(a, b).map { E.reduced(kind, $0, $1).bits }
          #expect(difference(result, expected) == nil, "\(kind)")
        }
      }
    }
    check(type.element)
  }

  @Test(
    "float32 follows IEEE 754-2019, and has one NaN", arguments: InstructionSet.supported,
    [
      (.sum, 0x7f80_0000, 0xff80_0000, 0x7fc0_0000),  // infinity - infinity
      (.sum, 0xffc0_0001, 0x3f80_0000, 0x7fc0_0000),  // a payload and a sign
      (.sum, 0x7f80_0001, 0x7fc0_0000, 0x7fc0_0000),  // a signaling NaN
      (.sum, 0x8000_0000, 0x0000_0000, 0x0000_0000),  // -0 + 0
      (.sum, 0x0000_0001, 0x0000_0002, 0x0000_0003),  // subnormal numbers
      (.sum, 0x7f7f_ffff, 0x7f7f_ffff, 0x7f80_0000),  // overflow
      (.sum, 0x3f80_0000, 0x3380_0000, 0x3f80_0000),  // 1 + 2^-24, a tie
      (.product, 0x0000_0000, 0xff80_0000, 0x7fc0_0000),  // 0 * -infinity
      (.product, 0x8000_0000, 0x3f80_0000, 0x8000_0000),  // -0 * 1
      (.product, 0x0080_0000, 0x3f00_0000, 0x0040_0000),  // half of the least normal number
      (.minimum, 0x0000_0000, 0x8000_0000, 0x8000_0000),  // zeros of two signs
      (.maximum, 0x0000_0000, 0x8000_0000, 0x0000_0000),
      (.minimum, 0x8000_0000, 0x8000_0000, 0x8000_0000),
      (.maximum, 0x8000_0000, 0x8000_0000, 0x8000_0000),
      (.minimum, 0xffff_ffff, 0xff80_0000, 0x7fc0_0000),  // NaN wins over infinity
      (.maximum, 0x7f80_0001, 0x7f80_0000, 0x7fc0_0000),
      (.minimum, 0xbf80_0000, 0x3f80_0000, 0xbf80_0000),
      (.maximum, 0xbf80_0000, 0x3f80_0000, 0x3f80_0000),
      (.minimum, 0x8000_0001, 0x0000_0001, 0x8000_0001),
    ] as [(ReductionKind, UInt32, UInt32, UInt32)])
  func float32(
    instructions: InstructionSet, example: (ReductionKind, a: UInt32, b: UInt32, y: UInt32)
  ) {
    let kernels = KernelSet(instructions)
    for count in [1, 40] {
      let a = [Float](repeating: Float(bitPattern: example.a), count: count)
      let b = [Float](repeating: Float(bitPattern: example.b), count: count)
      let expected = [UInt32](repeating: example.y, count: count)
      #expect(kernels.combine(example.0, a, b) == expected)
      #expect(kernels.combine(example.0, b, a) == expected)
    }
  }

  @Test("integer sums and products wrap", arguments: InstructionSet.supported)
  func wrapping(instructions: InstructionSet) {
    let kernels = KernelSet(instructions)
    #expect(kernels.combine(.sum, [Int32.max], [1]) == [0x8000_0000])
    #expect(kernels.combine(.sum, [Int64.min], [-1]) == [0x7fff_ffff_ffff_ffff])
    #expect(kernels.combine(.product, [Int32(0x10001)], [0x10001]) == [0x20001])
    #expect(kernels.combine(.product, [Int64(0x1_0000_0001)], [0x1_0000_0001]) == [0x2_0000_0001])
    #expect(kernels.combine(.product, [Int32.min], [-1]) == [0x8000_0000])
  }

  @Test(
    "quotients are rounded once, or truncated toward zero",
    arguments: InstructionSet.supported, ElementType.accumulators)
  func divide(instructions: InstructionSet, type: ElementType) {
    let kernels = KernelSet(instructions)
    func check<E: ReductionElement>(_: E.Type) {
      for divisor in [1, 2, 3, 7, 8, 1000, 65_537, 0x7fff_ffff, 0x8000_0000, 1 << 40, .max] {
        for count in sizes {
          let x = E.values(count, divisor & 0xffff)
          let expected = x.map { E.divided($0, by: divisor).bits }
          #expect(
            difference(kernels.divide(x, by: divisor), expected) == nil, "\(count) by \(divisor)")
        }
      }
    }
    check(type.element)
    #expect(kernels.divide([-7 as Int32, 7], by: 2) == [0xffff_fffd, 3])
    #expect(kernels.divide([-7 as Int64, 7], by: 2) == [0xffff_ffff_ffff_fffd, 3])
    #expect(
      kernels.divide([Float(bitPattern: 0xff80_0001), -1], by: 4) == [0x7fc0_0000, 0xbe80_0000])
  }

  /// The int32 kernel divides as Double: where that could go wrong, next to the largest multiples.
  @Test("int32 quotients are exact next to multiples", arguments: InstructionSet.supported)
  func multiples(instructions: InstructionSet) {
    let kernels = KernelSet(instructions)
    for divisor in Array(1...300) + [46_341, 65_535, 65_537, 1_073_741_823, 2_147_483_647] {
      let largest = Int32.max / Int32(divisor) * Int32(divisor)
      let x = [largest - 1, largest, -largest, 1 - largest, largest &+ 1, -1 &- largest]
      #expect(
        kernels.divide(x, by: divisor) == x.map { UInt32(bitPattern: $0 / Int32(divisor)) },
        "by \(divisor)")
    }
  }

  @Test("16-bit types are sums of float32, others of themselves")
  func accumulators() {
    #expect(ElementType.allCases.map(\.byteCount) == [4, 8, 2, 2, 4, 8])
    #expect(ElementType.accumulators == [.float32, .float64, .int32, .int64])
    #expect(ElementType.float16.accumulator == .float32)
    #expect(ElementType.bfloat16.accumulator == .float32)
  }

  @Test("a type without such a kernel is a broken precondition")
  func preconditions() async {
    await #expect(processExitsWith: .failure) {
      var y: [UInt16] = [1]
      KernelSet(.baseline).combine(.sum, .float16, count: 1, [UInt16(1)], [UInt16(1)], into: &y)
    }
    await #expect(processExitsWith: .failure) {
      var y: [Float] = [1]
      KernelSet(.baseline).widen(.float32, count: 1, [Float(1)], into: &y)
    }
    await #expect(processExitsWith: .failure) {
      var y: [UInt16] = [1]
      KernelSet(.baseline).narrow(.int32, count: 1, [1], into: &y)
    }
    await #expect(processExitsWith: .failure) {
      var y: [Int32] = [1]
      KernelSet(.baseline).divide(.int32, count: 1, &y, by: 0)
    }
  }
}
