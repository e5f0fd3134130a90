// The yardstick of the other kernels.

extension KernelSet {
  /// How many floats `repeatMultiplyAdd` works on: as many as stay in registers.
  public var peakCount: Int { table.peak.count }

  /// x = x * factor + addend, `steps` times (on arm64 x = x + factor * addend, which is one
  /// instruction there): independent chains of multiply-adds, in registers. No kernel of the set
  /// does more multiply-adds a second: 2 * steps * peakCount operations.
  /// - Precondition: `x` has `peakCount` elements.
  public func repeatMultiplyAdd(
    _ x: UnsafeMutableBufferPointer<Float>, factor: Float, addend: Float, steps: Int
  ) {
    precondition(x.count == peakCount && steps >= 0)
    table.peak.multiplyAdd(steps, factor, addend, x.baseAddress!)
  }
}
