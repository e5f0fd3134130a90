import Foundation
import Kernels

/// What bounds a kernel.
enum KernelLimit: Encodable, Equatable {
  /// Multiply-adds in registers.
  case arithmetic
  /// A copy in a level of the caches, `L2`, or in `memory`.
  case copy(level: String)

  var text: String {
    switch self {
    case .arithmetic: "fma"
    case .copy(let level): "copy \(level)"
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }
}

/// How fast one core can be, measured by this program.
final class Yardsticks {
  private let timer: KernelTimer
  private let caches: [Int]
  private var copies: [Int: Double] = [:]

  /// - Parameter caches: bytes of each level, the first one first.
  init(_ timer: KernelTimer, caches: [Int]) {
    self.timer = timer
    self.caches = caches
  }

  /// Floating-point operations a second of a kernel set, two for each multiply-add.
  func arithmetic(_ kernels: KernelSet) -> Double {
    let x = Operand<Float>(kernels.peakCount, seed: 1)
    let steps = 10_000
    // To the fixed point 1, where numbers stay.
    let timing = timer.measure {
      kernels.repeatMultiplyAdd(x.elements, factor: 0.5, addend: 0.5, steps: steps)
    }
    return 2 * Double(steps * kernels.peakCount) / (timing.median * 1e-6)
  }

  /// Bytes read and written a second by `memcpy` with both buffers in about `footprint` bytes.
  func copy(footprint: Int) -> Double {
    let length = Yardsticks.rounded(max(footprint / 2, 64))
    if let known = copies[length] { return known }
    let source = Operand<UInt8>(length) { UInt8(truncatingIfNeeded: $0) }
    let target = Operand<UInt8>(length) { _ in 0 }
    let timing = timer.measure { memcpy(target.base, source.base, length) }
    let bandwidth = 2 * Double(length) / (timing.median * 1e-6)
    copies[length] = bandwidth
    return bandwidth
  }

  /// To an eighth of a power of two, up or down: one measurement serves similar sizes.
  private static func rounded(_ bytes: Int) -> Int {
    let step = max((1 << (Int.bitWidth - 1 - bytes.leadingZeroBitCount)) >> 3, 1)
    return (bytes + step / 2) / step * step
  }

  /// The cache that `footprint` bytes fit into: `L1`, `L2`, ... or `memory`.
  func level(footprint: Int) -> String {
    caches.firstIndex { footprint <= $0 }.map { "L\($0 + 1)" } ?? "memory"
  }
}

/// Times calls that may be short, many of them in a block.
struct KernelTimer {
  /// Seconds to measure for.
  let budget: Double

  /// Nanoseconds that a block of calls takes at least: a thousand times what reading the clock
  /// costs.
  private static let block = 30_000.0
  private static let possibleBlocks = 3...2000

  /// Of one call, after a tenth of the budget to warm up.
  func measure(_ call: () -> Void) -> Timing {
    var calls = 0
    let start = monotonicNanoseconds()
    var elapsed = 0.0
    repeat {
      call()
      calls += 1
      elapsed = Double(monotonicNanoseconds() - start)
    } while elapsed < min(budget * 1e8, 1e8)
    let length = max(1, Int((KernelTimer.block * Double(calls) / elapsed).rounded(.up)))
    let affordable = budget * 1e9 / (elapsed / Double(calls) * Double(length))
    let possible = KernelTimer.possibleBlocks
    let blocks = Int(min(max(affordable, Double(possible.lowerBound)), Double(possible.upperBound)))
    let times = (0..<blocks).map { _ in
      let start = monotonicNanoseconds()
      for _ in 0..<length { call() }
      return monotonicNanoseconds() - start
    }
    return Timing(nanoseconds: times, calls: length)
  }
}
