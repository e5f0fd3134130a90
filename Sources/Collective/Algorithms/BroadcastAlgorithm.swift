/// How a broadcast moves its data.
public enum BroadcastAlgorithm: String, CaseIterable, Sendable {
  /// Down a binomial tree, the whole buffer at once: for few bytes.
  case tree
  /// A chunk to every rank, down a binomial tree, and an allgather on a circulant graph: for many
  /// bytes.
  case scatterAllgather = "scatter-allgather"

  /// The schedules of all ranks, for `count` elements from `root` to all of `size` ranks.
  public func generator(size: Int, count: Int, root: Int) -> any ScheduleGenerator {
    precondition(size > 0 && (0..<size).contains(root) && count >= 0)
    switch self {
    case .tree: return TreeBroadcast(size: size, count: count, root: root)
    case .scatterAllgather:
      return Sequential(
        TreeScatter(size: size, count: count, root: root),
        CirculantAllgather(size: size, count: count))
    }
  }
}
