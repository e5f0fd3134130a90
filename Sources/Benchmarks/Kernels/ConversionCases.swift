import Kernels

extension KernelCase {
  /// 16-bit types to float32 and back, in the cache, then in memory.
  static func conversions(_ sizes: KernelSizes) -> [KernelCase] {
    sizes.counts(bytesPerIndex: 6).flatMap { count in
      [ShortFormat.float16, .bfloat16].flatMap { [widen($0, count), narrow($0, count)] }
    }
  }

  /// Numbers from 1 to 2 of a 16-bit type: 1 + fraction / 2^fractionBits has the bits one + fraction.
  private struct ShortFormat {
    var type: ElementType
    var one: UInt16
    var fractionBits: Int

    static let float16 = ShortFormat(type: .float16, one: 0x3c00, fractionBits: 10)
    static let bfloat16 = ShortFormat(type: .bfloat16, one: 0x3f80, fractionBits: 7)

    /// One for each index.
    func bits(_ index: Int) -> UInt16 { one + UInt16(index * 37 % (1 << fractionBits)) }
    func value(ofBits bits: UInt16) -> Double { 1 + Double(bits - one) / unit }
    func bits(of value: Float) -> UInt16 { one + UInt16((Double(value) - 1) * unit) }
    /// Steps from 1 to 2.
    var unit: Double { Double(1 << fractionBits) }
  }

  private static func widen(_ format: ShortFormat, _ count: Int) -> KernelCase {
    KernelCase(
      group: .conversion, kernel: "widen", shape: "\(count) \(format.type)", bytes: 6 * count,
      footprint: 6 * count
    ) { kernels in
      let x = Operand<UInt16>(count) { format.bits($0) }
      let y = Operand<Float>(results: count)
      return PreparedKernel(
        call: { kernels.widen(format.type, count: count, x.base, into: y.base) }, count: count,
        result: { Double(y.base[$0]) }
      ) { .exactly(format.value(ofBits: x.base[$0])) }
    }
  }

  private static func narrow(_ format: ShortFormat, _ count: Int) -> KernelCase {
    KernelCase(
      group: .conversion, kernel: "narrow", shape: "\(count) \(format.type)", bytes: 6 * count,
      footprint: 6 * count
    ) { kernels in
      // A quarter of the last digit is rounded away.
      let quarter = Float(0.25 / format.unit)
      let x = Operand<Float>(count) { Float(format.value(ofBits: format.bits($0))) + quarter }
      let y = Operand<UInt16>(count) { _ in 0 }
      return PreparedKernel(
        call: { kernels.narrow(format.type, count: count, x.base, into: y.base) }, count: count,
        result: { Double(y.base[$0]) }
      ) { .exactly(Double(format.bits(of: x.base[$0] - quarter))) }
    }
  }
}
