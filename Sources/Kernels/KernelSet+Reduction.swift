import CKernels

// Reductions of the element types that collectives move. The 16-bit types are widened, reduced as
// float32, and narrowed once.
//
// Buffers are aligned to their elements' size and need no more; nothing outside of `count` elements
// is read or written.

extension KernelSet {
  /// y[i] = a[i] op b[i], and z[i] too where there is one; each may be `a` or `b`, but not overlap
  /// them, or the other, otherwise.
  ///
  /// The order of operands does not show: (a, b) and (b, a) give the same bits, and so does every
  /// kernel set.
  /// - Floating point: each element is rounded once, to nearest, ties to even; subnormal numbers
  ///   are kept. A NaN result - of a NaN operand, whatever its sign and payload, of infinity -
  ///   infinity, of 0 * infinity - is always the one canonical quiet NaN (0x7fc00000,
  ///   0x7ff8000000000000). Minimum and maximum are those of IEEE 754-2019, section 9.6: NaN wins,
  ///   and -0 < +0.
  /// - Integers: sums and products wrap (two's complement), as those of MPI and NCCL do.
  /// - Parameter ahead: elements of `a` and of `b`, these and those behind them that will be combined
  ///   next, which are asked for before they are needed; 0 for an operand that the second-level cache
  ///   holds, where asking costs more than it brings. Default: these.
  /// - Parameter streaming: results go past the caches, as those of `stream` do. The addresses of y
  ///   and z are multiples of 16, and neither is `a` or `b`.
  /// - Precondition: `type` is its own accumulator, so neither float16 nor bfloat16.
  public func combine(
    _ kind: ReductionKind, _ type: ElementType, count: Int, ahead: (a: Int, b: Int)? = nil,
    _ a: UnsafeRawPointer, _ b: UnsafeRawPointer, into y: UnsafeMutableRawPointer,
    and z: UnsafeMutableRawPointer? = nil, streaming: Bool = false
  ) {
    let reduction = reduction(of: type)
    let kernel =
      switch kind {
      case .sum: reduction.sum
      case .minimum: reduction.minimum
      case .maximum: reduction.maximum
      case .product: reduction.product
      }
    let ahead = ahead ?? (count, count)
    kernel(count, ahead.a, ahead.b, a, b, y, z, streaming)
  }

  /// y[i] /= divisor, for averages. Floating-point quotients, by the divisor rounded to the type,
  /// are rounded once, and NaN becomes the canonical quiet NaN; integer ones are truncated toward
  /// zero.
  /// - Precondition: `divisor` is positive; `type` is its own accumulator.
  public func divide(
    _ type: ElementType, count: Int, _ y: UnsafeMutableRawPointer, by divisor: Int
  ) {
    precondition(divisor > 0)
    reduction(of: type).divide(count, y, divisor)
  }

  /// y = x, float16 or bfloat16 to float32, exactly; NaN stays NaN. They may not overlap.
  /// - Precondition: `type` is one of the two.
  public func widen(
    _ type: ElementType, count: Int, _ x: UnsafeRawPointer, into y: UnsafeMutablePointer<Float>
  ) {
    let x = x.assumingMemoryBound(to: UInt16.self)
    switch type {
    case .float16: table.widenFloat16(count, x, y)
    case .bfloat16: table.widenBfloat16(count, x, y)
    default: preconditionFailure("\(type) is not a 16-bit type")
    }
  }

  /// y = x, float32 to float16 or bfloat16, rounded to nearest, ties to even: to infinity where the
  /// rounded number is too large, to subnormal numbers and zero where it is small. NaN becomes the
  /// one quiet NaN (0x7e00, 0x7fc0). They may not overlap.
  /// - Precondition: `type` is one of the two.
  public func narrow(
    _ type: ElementType, count: Int, _ x: UnsafePointer<Float>, into y: UnsafeMutableRawPointer
  ) {
    let y = y.assumingMemoryBound(to: UInt16.self)
    switch type {
    case .float16: table.narrowFloat16(count, x, y)
    case .bfloat16: table.narrowBfloat16(count, x, y)
    default: preconditionFailure("\(type) is not a 16-bit type")
    }
  }

  /// y = x, past the caches: for memory that is read again only after more than a cache holds. Other
  /// threads see it after `finishStreams`. They may not overlap.
  public func stream(
    byteCount: Int, _ x: UnsafeRawPointer, into y: UnsafeMutableRawPointer
  ) {
    table.stream(byteCount, x, y)
  }

  /// Whatever this thread has streamed is seen by those who see what it stores after this.
  public func finishStreams() { CKernels_finishStreams() }

  private func reduction(of type: ElementType) -> CReduction {
    switch type {
    case .float32: table.float32
    case .float64: table.float64
    case .int32: table.int32
    case .int64: table.int64
    case .float16, .bfloat16: preconditionFailure("\(type) is reduced as \(type.accumulator)")
    }
  }
}
