/// What was measured of one candidate at one size.
struct Measurement: Sendable {
  /// One way to call it: out of place, or in place.
  struct Mode: Sendable {
    /// Of single calls, each from a barrier to the end of the slowest rank.
    var timing: Timing
    /// Wrong elements, on all ranks together.
    var wrong: Int
  }

  var candidate: String
  var kind: CandidateKind
  var outOfPlace: Mode
  var inPlace: Mode?
  /// Microseconds a call when many follow each other without a barrier; in place where that exists.
  var stream: Double
}

/// Bytes a second, as nccl-tests defines them; in GB/s, 10^9 bytes a second.
struct Bandwidth: Equatable {
  /// The buffer's size by the time.
  var algorithm: Double
  /// What every rank's link must have carried at least, 2(p-1)/p of the buffer: comparable with the
  /// speed of the hardware for any number of ranks.
  var bus: Double

  init(byteCount: Int, microseconds: Double, ranks: Int) {
    algorithm = Double(byteCount) / microseconds / 1000
    bus = algorithm * 2 * Double(ranks - 1) / Double(ranks)
  }
}
