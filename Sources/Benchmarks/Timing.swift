import Foundation

/// Nanoseconds of a clock that is never set.
func monotonicNanoseconds() -> Int64 {
  var now = timespec()
  clock_gettime(CLOCK_MONOTONIC, &now)
  return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
}

/// The durations of the same call, many times; in microseconds.
public struct Timing: Equatable, Sendable {
  public var minimum: Double
  public var median: Double
  /// 95 of 100 calls took no longer.
  public var percentile95: Double

  /// - Parameters:
  ///   - nanoseconds: of single calls, or of blocks of them.
  ///   - calls: in each block.
  /// - Precondition: there is at least one duration.
  init(nanoseconds: some Sequence<Int64>, calls: Int = 1) {
    let sorted = nanoseconds.sorted()
    let middle = sorted.count / 2
    let unit = 1000 * Double(calls)
    minimum = Double(sorted[0]) / unit
    median =
      sorted.count.isMultiple(of: 2)
      ? Double(sorted[middle - 1] + sorted[middle]) / (2 * unit) : Double(sorted[middle]) / unit
    percentile95 = Double(sorted[(sorted.count * 95 + 99) / 100 - 1]) / unit
  }
}
