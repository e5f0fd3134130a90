/// A collective and the algorithm that runs it.
public enum CollectiveAlgorithm: Hashable, Sendable {
  case allreduce(AllreduceAlgorithm)
  case reduceScatter(ReduceScatterAlgorithm)
  case allgather(AllgatherAlgorithm)
  case broadcast(BroadcastAlgorithm, root: Int)
  case reduce(ReduceAlgorithm, root: Int)

  /// The schedules of all ranks, for a buffer of `count` elements on each of `size` ranks.
  /// - Parameter tree: of an allreduce whose buffers have planes.
  public func generator(
    size: Int, count: Int, along tree: SumTree? = nil
  ) -> any ScheduleGenerator {
    switch self {
    case .allreduce(let algorithm): algorithm.generator(size: size, count: count, along: tree)
    case .reduceScatter(let algorithm): algorithm.generator(size: size, count: count)
    case .allgather(let algorithm): algorithm.generator(size: size, count: count)
    case .broadcast(let algorithm, let root):
      algorithm.generator(size: size, count: count, root: root)
    case .reduce(let algorithm, let root):
      algorithm.generator(size: size, count: count, root: root)
    }
  }

  /// What the schedules are to be proven to do.
  public var goal: Goal {
    switch self {
    case .allreduce: .allreduce
    case .reduceScatter: .reduceScatter
    case .allgather: .allgather
    case .broadcast(_, let root): .broadcast(root: root)
    case .reduce(_, let root): .reduce(root: root)
    }
  }
}
