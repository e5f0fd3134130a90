/// How a reduce moves its data. The root ends with the sum; the other ranks' buffers are undefined.
public enum ReduceAlgorithm: String, CaseIterable, Sendable {
  /// Up a binomial tree, the whole buffer at once: for few bytes, and where the sum must follow the
  /// canonical tree, which it does if the root is rank 0.
  case tree
  /// A reduce-scatter on a circulant graph, and the chunks up a binomial tree: for many bytes.
  case scatterGather = "scatter-gather"

  /// The schedules of all ranks, for a buffer of `count` elements on each of `size` ranks.
  public func generator(size: Int, count: Int, root: Int) -> any ScheduleGenerator {
    precondition(size > 0 && (0..<size).contains(root) && count >= 0)
    switch self {
    case .tree: return TreeReduce(size: size, count: count, root: root)
    case .scatterGather:
      return Sequential(
        CirculantReduceScatter(size: size, count: count),
        TreeGather(size: size, count: count, root: root))
    }
  }
}
