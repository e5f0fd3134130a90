// What the benchmark of kernels leaves for programs: one JSON object a line, and `event` says which.
// Times are in microseconds, rates in GFLOP/s and GB/s (10^9 a second).

import Experiments
import Foundation
import Kernels

/// Where and how the numbers were measured.
struct KernelHeaderRecord: Encodable {
  let event = "header"
  let benchmark = "kernels"
  var version: String
  var commit: String
  var cpu: String
  /// Of each level of one core's caches.
  var cacheBytes: [Int]
  var kernels: [String]
  var command: String

  /// The same for people.
  var lines: [String] {
    let caches = cacheBytes.enumerated().map { "L\($0 + 1) \($1 >> 10) KiB" }
    return [
      "lockstep \(version) (\(commit)): kernels",
      "machine    \(cpu), \(caches.joined(separator: ", ")); one core",
      "kernels    \(kernels.joined(separator: ", "))",
      "time       median of calls on the same operands, checked before",
      "GB/s       every operand once, every result once",
      "limit      what allows the least: multiply-adds in registers (fma), or memcpy where the "
        + "operands lie",
      "share      time at that limit by the time",
      "repeat     \(command)",
    ].map { "# \($0)" }
  }
}

/// How fast the multiply-adds of a kernel set are in registers.
struct KernelPeakRecord: Encodable {
  let event = "peak"
  var kernels: String
  var gflops: Double
}

/// One kernel of one set at one shape.
struct KernelRecord: Encodable {
  let event = "result"
  var kernels: String
  var group: KernelGroup
  var kernel: String
  var shape: String
  var medianMicroseconds: Double
  var minimumMicroseconds: Double
  var p95Microseconds: Double
  /// Nil where arithmetic is not what limits it.
  var gflops: Double?
  var bandwidth: Double
  var limit: KernelLimit
  /// Time at the limit by the median time. Above 1 where `memcpy` is a low limit: it writes half of
  /// what it touches.
  var share: Double
  /// Of the elements that were checked.
  var wrong: Int

  /// - Parameters:
  ///   - peak: operations a second.
  ///   - copy: bytes a second of `memcpy` in as much memory, at `level`.
  init(
    _ one: KernelCase, _ set: InstructionSet, _ timing: Timing, wrong: Int, peak: Double,
    copy: Double, level: String
  ) {
    kernels = set.rawValue
    group = one.group
    kernel = one.kernel
    shape = one.shape
    medianMicroseconds = timing.median
    minimumMicroseconds = timing.minimum
    p95Microseconds = timing.percentile95
    gflops = one.flops > 0 ? one.flops / timing.median * 1e-3 : nil
    bandwidth = Double(one.bytes) / timing.median * 1e-3
    // The roofline model (Williams, Waterman & Patterson, CACM 2009).
    let (arithmeticTime, copyTime) = (one.flops / peak, Double(one.bytes) / copy)
    limit = arithmeticTime > copyTime ? .arithmetic : .copy(level: level)
    share = max(arithmeticTime, copyTime) / (timing.median * 1e-6)
    self.wrong = wrong
  }

  /// The same for people.
  static func table(_ records: [KernelRecord]) -> String {
    TextTable(
      columns: [
        "group", "kernel", "shape", "time (us)", "GFLOP/s", "GB/s", "limit", "share", "#wrong",
      ],
      rows: records.map {
        [
          $0.group.rawValue, $0.kernel, $0.shape,
          String(format: $0.medianMicroseconds < 1000 ? "%.2f" : "%.0f", $0.medianMicroseconds),
          $0.gflops.map { String(format: "%.1f", $0) } ?? "-",
          String(format: "%.1f", $0.bandwidth), $0.limit.text,
          String(format: "%.0f %%", 100 * $0.share), "\($0.wrong)",
        ]
      }, leading: [0, 1, 2, 6]
    ).text
  }
}
