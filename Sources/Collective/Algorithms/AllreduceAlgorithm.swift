/// How an allreduce moves its data: turns (rank, size, count) into a schedule.
public enum AllreduceAlgorithm: String, CaseIterable, Sendable {
  case ring
  case tree
  case recursiveDoubling = "recursive-doubling"
  case halvingDoubling = "halving-doubling"

  /// What `rank` of `size` ranks does to add up `count` elements.
  public func schedule(rank: Int, size: Int, count: Int) -> Schedule {
    precondition(size > 0 && (0..<size).contains(rank) && count >= 0)
    let rounds: [Round]
    switch self {
    case .ring: rounds = RingAllreduce(size: size, count: count).rounds(of: rank)
    case .tree: rounds = TreeAllreduce(size: size, count: count).rounds(of: rank)
    case .recursiveDoubling: rounds = RecursiveDoubling(size: size, count: count).rounds(of: rank)
    case .halvingDoubling: rounds = HalvingDoubling(size: size, count: count).rounds(of: rank)
    }
    return Schedule(rank: rank, size: size, count: count, rounds: rounds)
  }

  /// Rounds of the longest schedule, in closed form.
  public func rounds(size: Int) -> Int {
    switch self {
    case .ring: 2 * (size - 1)
    case .tree: 2 * BinomialTree(size: size).levels
    case .recursiveDoubling: RecursiveDoubling(size: size, count: 0).roundCount
    case .halvingDoubling: HalvingDoubling(size: size, count: 0).roundCount
    }
  }

  /// Elements that `rank` sends, in closed form.
  public func elementsSent(rank: Int, size: Int, count: Int) -> Int {
    switch self {
    case .ring: RingAllreduce(size: size, count: count).elementsSent(by: rank)
    case .tree: TreeAllreduce(size: size, count: count).elementsSent(by: rank)
    case .recursiveDoubling: RecursiveDoubling(size: size, count: count).elementsSent(by: rank)
    case .halvingDoubling: HalvingDoubling(size: size, count: count).elementsSent(by: rank)
    }
  }

  /// Whether the sum is taken along the canonical tree: one bit pattern for any number of ranks that
  /// is a power of two, and for every algorithm that has this. (Two numbers have one sum: on two ranks
  /// every order is the canonical one.)
  public func isCanonical(size: Int) -> Bool {
    switch self {
    case .ring: size <= 2
    case .tree: true
    case .recursiveDoubling, .halvingDoubling: size & (size - 1) == 0
    }
  }

  /// The algorithm for a buffer of `byteCount` bytes on `size` ranks when the user leaves the choice
  /// to us: few rounds for few bytes, few bytes for many, and a canonical one where the order of
  /// summation matters.
  public static func choice(byteCount: Int, size: Int, canonical: Bool) -> AllreduceAlgorithm {
    let preferred: AllreduceAlgorithm =
      byteCount < 16 * 1024 ? .recursiveDoubling : .halvingDoubling
    return canonical && !preferred.isCanonical(size: size) ? .tree : preferred
  }
}
