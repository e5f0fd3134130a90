// What a benchmark leaves for programs: one JSON object a line, and `event` says which. Times are
// in microseconds, sizes in bytes, bandwidths in GB/s (10^9 bytes a second).

import Collective

/// Where and how the numbers were measured.
struct HeaderRecord: Encodable {
  let event = "header"
  var benchmark = "allreduce"
  var version: String
  var commit: String
  var cpu: String
  /// Of rank 0's host.
  var cpus: Int
  var lastLevelCacheBytes: Int
  var kernels: String
  var ranks: Int
  var hosts: [String]
  /// The CPUs that every rank may run on.
  var binding: [String]
  var mpi: String
  var transport: String
  var buffers: String
  var command: String

  /// The same for people.
  var lines: [String] {
    let nodes = Set(hosts).count
    let cache = lastLevelCacheBytes >> 10
    let buffers =
      buffers == AllreduceOptions.Buffers.rotating.rawValue
      ? "rotating: together more than twice the last-level cache"
      : "cached: the same one every time"
    let hosts = HeaderRecord.brief(Array(Set(hosts)).sorted(), separator: " ")
    let binding = HeaderRecord.brief(
      Set(binding).count == 1 ? [binding[0]] : binding, separator: " | ")
    return [
      "lockstep \(version) (\(commit)): allreduce beside MPI_Allreduce",
      "machine    \(cpu), \(cpus) CPUs, last-level cache \(cache) KiB",
      "kernels    \(kernels)",
      "ranks      \(ranks) on \(nodes) node\(nodes == 1 ? "" : "s"): \(hosts)",
      "binding    CPUs \(binding)",
      "mpi        \(mpi)",
      "transport  \(transport)",
      "buffers    \(buffers)",
      "time       median of single calls, each from a barrier to the end of the slowest rank",
      "stream     median time a call of many, one after the other without a barrier",
      "repeat     \(command)",
    ].map { "# \($0)" }
  }

  private static func brief(_ words: [String], separator: String) -> String {
    words.prefix(16).joined(separator: separator) + (words.count > 16 ? " ..." : "")
  }
}

/// One candidate at one size.
struct ResultRecord: Encodable {
  struct Mode: Encodable {
    var medianMicroseconds: Double
    var minimumMicroseconds: Double
    var p95Microseconds: Double
    var algbw: Double
    /// Nil where nothing goes from rank to rank.
    var busbw: Double?
    var wrong: Int
  }

  let event = "result"
  var size: Int
  var count: Int
  var type: String
  var redop: String
  var candidate: String
  var kind: CandidateKind
  var outOfPlace: Mode
  var inPlace: Mode?
  var streamMicroseconds: Double
  /// Of a call in place, and that by its median time; nil for what is not predicted.
  var predictedMicroseconds: Double?
  var predictedByMeasured: Double?

  init(
    _ measurement: Measurement, count: Int, type: ElementType, reduction: ReductionChoice,
    ranks: Int
  ) {
    let size = count * type.byteCount
    func mode(_ mode: Measurement.Mode) -> Mode {
      let timing = mode.timing
      let bandwidth = Bandwidth(byteCount: size, microseconds: timing.median, ranks: ranks)
      return Mode(
        medianMicroseconds: timing.median, minimumMicroseconds: timing.minimum,
        p95Microseconds: timing.percentile95, algbw: bandwidth.algorithm,
        busbw: measurement.kind == .memcpy ? nil : bandwidth.bus, wrong: mode.wrong)
    }
    self.size = size
    self.count = count
    self.type = type.rawValue
    redop = reduction.rawValue
    candidate = measurement.candidate
    kind = measurement.kind
    outOfPlace = mode(measurement.outOfPlace)
    inPlace = measurement.inPlace.map(mode)
    streamMicroseconds = measurement.stream
  }

  mutating func setPrediction(_ microseconds: Double?) {
    guard let microseconds, let inPlace else { return }
    predictedMicroseconds = microseconds
    predictedByMeasured = microseconds / inPlace.medianMicroseconds
  }
}

/// Our choice of algorithm against the fastest of MPI's at one size.
struct ComparisonRecord: Encodable {
  struct Side: Encodable {
    /// MPI's median time by ours.
    var ratio: Double
    /// The candidate of MPI's that was the fastest.
    var against: String
  }

  let event = "comparison"
  var size: Int
  var type: String
  var redop: String
  var candidate: String
  var outOfPlace: Side
  var inPlace: Side

  /// - Parameter results: of one size.
  /// - Returns: a record for each of our candidates that chooses by size; none if MPI took no part.
  static func all(_ results: [ResultRecord]) -> [ComparisonRecord] {
    let rivals = results.filter { $0.kind == .mpi }
    func side(
      _ own: ResultRecord, _ time: (ResultRecord) -> Double?
    ) -> Side? {
      let times = rivals.compactMap { rival in time(rival).map { (rival.candidate, $0) } }
      guard let own = time(own), let best = times.min(by: { $0.1 < $1.1 }) else { return nil }
      return Side(ratio: best.1 / own, against: best.0)
    }
    return results.filter { $0.kind == .lockstep && $0.candidate.hasPrefix("auto/") }.compactMap {
      guard let outOfPlace = side($0, { $0.outOfPlace.medianMicroseconds }),
        let inPlace = side($0, { $0.inPlace?.medianMicroseconds })
      else { return nil }
      return ComparisonRecord(
        size: $0.size, type: $0.type, redop: $0.redop, candidate: $0.candidate,
        outOfPlace: outOfPlace, inPlace: inPlace)
    }
  }
}
