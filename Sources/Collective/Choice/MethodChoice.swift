/// What a group goes by when the caller of an allreduce leaves the method to it.
public enum MethodChoice: Equatable, Sendable {
  /// Fixed limits: `AllreduceAlgorithm.choice`.
  case rules
  /// A cost model fitted to links and arithmetic, which are measured when the group is made: in
  /// well under a second, and only where there is something to choose - not on one node whose ranks
  /// share memory.
  case measured
  /// What was found to be the fastest on a cluster like this one. On any other it is not used, with
  /// a warning, and the choice is as if measured.
  case table(TuningTable)
}
