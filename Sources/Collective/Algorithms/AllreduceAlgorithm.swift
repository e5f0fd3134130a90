/// How an allreduce moves its data: turns (rank, size, count) into a schedule.
public enum AllreduceAlgorithm: String, CaseIterable, Sendable {
  /// Reduce-scatter and allgather around a ring: 2(p-1) rounds.
  case ring
  /// Reduce to rank 0 along a binomial tree, then broadcast back: 2 ceil(log2 p) rounds.
  case tree
  /// The whole buffer with one neighbour after the other: the fewest rounds, for few bytes.
  case recursiveDoubling = "recursive-doubling"
  /// Reduce-scatter and allgather in 2 ceil(log2 p) rounds: on a hypercube where p is a power of
  /// two, on a circulant graph elsewhere, so that rounds and bytes have no cliff between them.
  case halvingDoubling = "halving-doubling"
  /// Reduce-scatter and allgather straight between all ranks: 2 rounds of p - 1 messages.
  case direct
  /// Both halves of the buffer in segments, along two trees.
  case doubleTree = "double-tree"

  /// The schedules of all ranks that add up `count` elements on `size` ranks.
  /// - Parameter tree: of buffers with planes; nil for one plane, and the order that the algorithm
  ///   has. The algorithm is one that `addsPlanes`.
  public func generator(
    size: Int, count: Int, along tree: SumTree? = nil
  ) -> any ScheduleGenerator {
    precondition(size > 0 && count >= 0)
    if let tree { return generator(along: tree, count: count) }
    switch self {
    case .ring:
      return Sequential(
        RingReduceScatter(size: size, count: count), RingAllgather(size: size, count: count))
    case .tree:
      return Sequential(
        TreeReduce(size: size, count: count), TreeBroadcast(size: size, count: count))
    case .recursiveDoubling: return RecursiveDoubling(size: size, count: count)
    case .halvingDoubling where size & (size - 1) == 0:
      return HalvingDoubling(size: size, count: count)
    case .halvingDoubling:
      return Sequential(
        CirculantReduceScatter(size: size, count: count),
        CirculantAllgather(size: size, count: count))
    case .direct:
      return Sequential(
        DirectReduceScatter(size: size, count: count), DirectAllgather(size: size, count: count))
    case .doubleTree: return DoubleTreeAllreduce(size: size, count: count)
    }
  }

  private func generator(along tree: SumTree, count: Int) -> any ScheduleGenerator {
    let size = tree.ranks
    switch self {
    case .tree:
      return Sequential(
        TreePlaneReduce(tree: tree, count: count), TreeBroadcast(size: size, count: count))
    case .direct:
      return Sequential(
        DirectPlaneReduceScatter(tree: tree, count: count),
        DirectAllgather(size: size, count: count))
    case .ring, .recursiveDoubling, .halvingDoubling, .doubleTree:
      preconditionFailure("\(rawValue) adds no planes")
    }
  }

  /// Whether there is a form of it that adds up planes, along any `SumTree`.
  public var addsPlanes: Bool { self == .tree || self == .direct }

  /// What `rank` of `size` ranks does to add up `count` elements.
  public func schedule(rank: Int, size: Int, count: Int) -> Schedule {
    generator(size: size, count: count).schedule(of: rank)
  }

  /// Rounds of the longest schedule, in closed form.
  public func rounds(size: Int, count: Int) -> Int {
    generator(size: size, count: count).roundCount
  }

  /// Elements that `rank` sends, in closed form.
  public func elementsSent(rank: Int, size: Int, count: Int) -> Int {
    generator(size: size, count: count).elementsSent(by: rank)
  }

  /// Whether the sum is taken along the canonical tree: one bit pattern for any number of ranks
  /// that is a power of two, and for every algorithm that has this. (Two numbers have one sum: on
  /// two ranks every order is the canonical one.)
  public func isCanonical(size: Int) -> Bool {
    switch self {
    case .ring, .doubleTree: size <= 2
    case .tree, .direct: true
    case .recursiveDoubling, .halvingDoubling: size & (size - 1) == 0
    }
  }

  /// The algorithm for a buffer of `byteCount` bytes on `size` ranks when nothing is known of the
  /// machine: few rounds for few bytes, few bytes for many, and a canonical one where the order of
  /// summation matters. Of those, direct exchange sends the fewest bytes, in messages that must not
  /// be too many nor too short; else there is the tree.
  /// - Parameter planes: whether buffers have planes.
  public static func choice(
    byteCount: Int, size: Int, canonical: Bool, planes: Bool = false
  ) -> AllreduceAlgorithm {
    let preferred: AllreduceAlgorithm =
      byteCount < 16 * 1024 ? .recursiveDoubling : .halvingDoubling
    guard planes || canonical && !preferred.isCanonical(size: size) else { return preferred }
    return size <= 16 || byteCount / size >= 4096 ? .direct : .tree
  }
}
