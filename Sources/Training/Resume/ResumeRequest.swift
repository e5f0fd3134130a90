/// Whether a run goes on from a checkpoint.
public enum ResumeRequest: Equatable, Sendable {
  /// It begins anew.
  case none
  /// From the newest good checkpoint in the run's own directory, if there is one.
  case automatic
  /// From a checkpoint, or the newest good one of a run directory.
  case path(String)
}
