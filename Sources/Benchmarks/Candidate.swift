import Foundation

/// Whose work a candidate is.
enum CandidateKind: String, Encodable {
  /// This package's collectives.
  case lockstep
  /// `MPI_Allreduce`.
  case mpi
  /// A copy of this rank's own numbers, on all ranks at once: how fast memory is.
  case memcpy
}

/// A way to do an allreduce, timed beside others.
///
/// It takes memory rather than buffers of a type: what is timed crosses no generic function.
struct Candidate {
  /// Such as `auto/window` or `mpi/ring`.
  var name: String
  var kind: CandidateKind
  /// Whether its buffers are in the node's shared window.
  var usesWindow = false
  /// Leaves the result in `target`, and `source` as it was.
  var outOfPlace:
    (_ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, _ count: Int) throws -> Void
  /// Leaves the result where the input was; nil if there is no such thing.
  var inPlace: ((_ buffer: UnsafeMutableRawPointer, _ count: Int) throws -> Void)?

  func renamed(_ name: String) -> Candidate {
    var copy = self
    copy.name = name
    return copy
  }

  /// The yardstick for large buffers.
  static func memcpy(elementSize: Int) -> Candidate {
    Candidate(name: "memcpy", kind: .memcpy) { source, target, count in
      Foundation.memcpy(target, source, count * elementSize)
    }
  }
}
