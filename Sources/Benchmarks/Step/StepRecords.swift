// What the benchmark of a step leaves for programs: one JSON object a line, and `event` says which.
// Times are in microseconds, rates in GFLOP/s (10^9 a second).

import Experiments
import Foundation

/// Where and how the numbers were measured.
struct StepHeaderRecord: Encodable {
  let event = "header"
  let benchmark = "step"
  var version: String
  var commit: String
  var cpu: String
  var ranks: Int
  var nodes: Int
  /// Of each rank.
  var threads: Int
  var kernels: String
  var config: String
  var batch: Int
  var steps: Int
  var parameters: Int
  var command: String

  /// The same for people.
  var lines: [String] {
    let lines =
      [
        "lockstep \(version) (\(commit)): a training step by layer",
        "machine    \(cpu); "
          + (ranks == 1 ? "one rank" : "\(ranks) ranks on \(nodes) node\(nodes == 1 ? "" : "s")")
          + (threads == 1 ? "" : ", \(threads) threads each"),
        "kernels    \(kernels)",
        "step       \(config), \(batch) samples, \(parameters) parameters",
        "time       median over \(steps) steps" + (ranks == 1 ? "" : ", mean over ranks"),
        "GFLOP/s    of forward and backward" + (ranks == 1 ? "" : " of all ranks")
          + " together, where a layer says its operations",
      ]
      + (ranks == 1
        ? []
        : [
          "allreduce  what is not hidden behind backward: starting it, and waiting for each bucket "
            + "in turn"
        ])
      + ["repeat     \(command)"]
    return lines.map { "# \($0)" }
  }
}

/// A layer, or a part of a step that no layer has.
struct StepPartRecord: Encodable {
  let event = "part"
  /// Where a layer stands in the configuration; nil for other parts.
  var layer: String?
  /// A layer's kind; or `data`, `loss`, `allreduce`, `optimizer`.
  var kind: String
  /// Extents of one sample's outputs.
  var outputShape: String?
  /// Nil where it is part of the layer in front, and of parts that are neither forward nor backward.
  var forwardMicroseconds: Double?
  var backwardMicroseconds: Double?
  var microseconds: Double
  var gflops: Double?
  /// Of the sum of all parts.
  var share: Double
}

/// A part of the allreduce: waiting for the rest of one bucket, behind those that started earlier.
struct StepBucketRecord: Encodable {
  let event = "bucket"
  /// In the order in which they start.
  var bucket: Int
  var bytes: Int
  var microseconds: Double
}

/// The step as a whole.
struct StepTotalRecord: Encodable {
  let event = "total"
  var forwardMicroseconds: Double
  var backwardMicroseconds: Double
  /// Median, least and 95th percentile of whole steps.
  var medianMicroseconds: Double
  var minimumMicroseconds: Double
  var p95Microseconds: Double
  var samplesPerSecond: Double
  var gflops: Double
}

/// The same for people.
enum StepTable {
  static func text(
    _ parts: [StepPartRecord], _ buckets: [StepBucketRecord], inputShape: String,
    total: StepTotalRecord
  ) -> String {
    func time(_ value: Double?) -> String { value.map { String(format: "%.1f", $0) } ?? "-" }
    func rate(_ value: Double?) -> String { value.map { String(format: "%.1f", $0) } ?? "-" }
    let input = ["", "input", inputShape, "-", "-", "-", "-", "-"]
    let rows = parts.flatMap { part in
      [
        [
          part.layer ?? "", part.kind, part.outputShape ?? "", time(part.forwardMicroseconds),
          time(part.backwardMicroseconds), time(part.microseconds), rate(part.gflops),
          String(format: "%.1f %%", 100 * part.share),
        ]
      ]
        + (part.kind == "allreduce" ? buckets : []).map {
          [
            "", "  bucket \($0.bucket)", "\($0.bytes) bytes", "-", "-", time($0.microseconds), "-",
            "",
          ]
        }
    }
    let sum = [
      "", "step", "", time(total.forwardMicroseconds), time(total.backwardMicroseconds),
      time(total.medianMicroseconds), rate(total.gflops), "",
    ]
    return TextTable(
      columns: [
        "layer", "kind", "output", "forward us", "backward us", "us", "GFLOP/s", "share",
      ], rows: [input] + rows + [sum], leading: [0, 1, 2]
    ).text + String(format: "\n%.0f samples/s", total.samplesPerSecond)
  }
}
