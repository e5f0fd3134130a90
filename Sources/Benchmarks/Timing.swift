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

  /// - Precondition: there is at least one duration.
  init(nanoseconds: some Sequence<Int64>) {
    let sorted = nanoseconds.sorted()
    let middle = sorted.count / 2
    minimum = Double(sorted[0]) / 1000
    median =
      sorted.count.isMultiple(of: 2)
      ? Double(sorted[middle - 1] + sorted[middle]) / 2000 : Double(sorted[middle]) / 1000
    percentile95 = Double(sorted[(sorted.count * 95 + 99) / 100 - 1]) / 1000
  }
}
