import Kernels

/// What a kernel is for.
enum KernelGroup: String, CaseIterable, Encodable {
  case product, sparse, convolution, pooling, elementwise, activation, normalization, random, loss
  case reduction, conversion, optimizer, check
}

/// One kernel at one shape: what it costs at least, and how it is called and checked.
struct KernelCase {
  var group: KernelGroup
  /// As `KernelSet` calls it; behind a slash, its variant.
  var kernel: String
  var shape: String
  /// Multiplications and additions of a call; 0 where they are not what limits it.
  var flops = 0.0
  /// Bytes that a call has to read and write: each operand once, each result once.
  var bytes: Int
  /// Bytes of memory that a call touches.
  var footprint: Int
  var prepare: (KernelSet) -> PreparedKernel

  /// What `--only` looks into.
  var name: String { "\(group.rawValue)/\(kernel) \(shape)" }
}

/// A kernel with operands in memory.
struct PreparedKernel {
  var call: () -> Void
  /// Elements of the result.
  var count: Int
  /// An element as the first call has left it.
  var result: (Int) -> Double
  /// The same by a plain loop over the operands, in double precision.
  var expected: (Int) -> Expected
}

/// A number, and how far rounding may take a result away from it.
struct Expected {
  var value: Double
  var tolerance: Double

  init(_ value: Double, within tolerance: Double) {
    self.value = value
    self.tolerance = tolerance
  }

  /// After so many roundings of numbers that are no larger than `scale` in sum.
  init(_ value: Double, roundings: Int, scale: Double? = nil) {
    self.init(value, within: Double(roundings) * 0x1p-24 * (scale ?? abs(value)))
  }

  /// No rounding, or the right one.
  static func exactly(_ value: Double) -> Expected { Expected(value, within: 0) }

  func accepts(_ result: Double) -> Bool { abs(result - value) <= tolerance }
}

extension PreparedKernel {
  private static let samples = 61

  /// Calls the kernel once, and checks elements that are spread evenly over the result, the first
  /// and the last one included.
  /// - Returns: how many of them are wrong.
  func wrongCount() -> Int {
    call()
    let last = count - 1
    let steps = min(PreparedKernel.samples - 1, last)
    let indices = steps == 0 ? [0] : (0...steps).map { $0 * last / steps }
    return indices.count { !expected($0).accepts(result($0)) }
  }
}

/// How large the operands of kernels are that go through memory once.
struct KernelSizes {
  /// Bytes of all operands together: in the second-level cache, or far more than the last level
  /// holds.
  var cache: Int
  var memory: Int

  /// - Parameter caches: bytes of each level, the first one first.
  init(caches: [Int]) {
    cache = (caches.count > 1 ? caches[1] : 512 << 10) / 2
    memory = 4 * (caches.last ?? 32 << 20)
  }

  /// Elements of each operand, if an index of all of them together takes `bytes`.
  func counts(bytesPerIndex bytes: Int) -> [Int] {
    [cache, memory].map { $0 / bytes / 16 * 16 }
  }
}
