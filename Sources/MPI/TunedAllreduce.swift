/// The algorithms among which Open MPI's component `tuned` chooses for an allreduce, by their
/// numbers there (`ompi_info --param coll tuned --level 9`).
public enum TunedAllreduce: Int32, CaseIterable, Sendable {
  case basicLinear = 1
  case nonoverlapping = 2
  case recursiveDoubling = 3
  case ring = 4
  case segmentedRing = 5
  case rabenseifner = 6

  /// The setting without which Open MPI does not look at forced algorithms, for `Session.run`. On
  /// its own it changes nothing: where no algorithm is forced, Open MPI keeps to its fixed rules.
  public static let sessionParameters = ["coll_tuned_use_dynamic_rules": "1"]
}

extension Communicator {
  /// The same ranks with a message space of their own, in which MPI's allreduce uses `algorithm`
  /// for every size. Collective.
  ///
  /// Open MPI looks at the setting while it makes a communicator, and keeps what it found for the
  /// communicator's life. A component that goes before `tuned` (such as HAN, where it is switched
  /// on) is not touched by it.
  /// - Parameter segmentByteCount: into what pieces `segmentedRing` cuts a chunk; 0 for whole
  ///   chunks.
  /// - Throws: `MCAParameterMissing` if this MPI library has no such algorithm;
  ///   `ForcedAlgorithmIgnored` if the session was begun without
  ///   `TunedAllreduce.sessionParameters`.
  public func duplicate(
    forcing algorithm: TunedAllreduce, segmentByteCount: Int = 0
  ) throws -> Communicator {
    guard try MCAParameter("coll_tuned_use_dynamic_rules").readBool() else {
      throw ForcedAlgorithmIgnored()
    }
    let choice = try MCAParameter("coll_tuned_allreduce_algorithm")
    let segment = try MCAParameter("coll_tuned_allreduce_algorithm_segmentsize")
    let before = (algorithm: choice.readInt(), segment: segment.readInt())
    defer {
      try? choice.write(before.algorithm)
      try? segment.write(before.segment)
    }
    try choice.write(algorithm.rawValue)
    try segment.write(Int32(segmentByteCount))
    return try duplicate()
  }
}

/// Open MPI was told to keep to its own choice of algorithms.
public struct ForcedAlgorithmIgnored: Error, CustomStringConvertible {
  public var description: String {
    "this Open MPI was started with coll_tuned_use_dynamic_rules off, and cannot be made to use an "
      + "algorithm: remove OMPI_MCA_coll_tuned_use_dynamic_rules from the environment"
  }
}
