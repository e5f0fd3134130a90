/// A run of shards cut into subtrees of the shard tree: threads add up one each, and the sums of these
/// are added along the rest of the tree. The additions are the same.
///
///     shard      0   1   2   3   4   5   6   7
///                 \ /     \ /     \ /     \ /
///                  +       +       +       +         subtrees of up to 4: two threads
///                   \     /         \     /
///                      +               +
///                        \           /
///                              +                     the caller
struct Subtrees {
  private let shards: ShardRows
  /// Shards of the largest; a power of two.
  private let limit: Int
  private(set) var count = 0

  /// - Parameter threads: that share the work.
  init(_ shards: ShardRows, threads: Int) {
    precondition(shards.count > 0)
    /// How busy the threads are at least, of 1, with subtrees of up to `limit` shards.
    func use(_ limit: Int) -> Double {
      let count = Subtrees(shards, limit: limit).count
      return Double(shards.count) / Double((count + threads - 1) / threads * threads * limit)
    }
    // The largest that will do: every subtree's sum takes memory.
    var limit = 1 << (Int.bitWidth - 1 - shards.count.leadingZeroBitCount)
    var best = limit
    while use(best) < 0.85, limit > 1, limit > shards.count / (8 * threads) {
      limit /= 2
      if use(limit) > use(best) { best = limit }
    }
    self.init(shards, limit: best)
  }

  private init(_ shards: ShardRows, limit: Int) {
    self.shards = shards
    self.limit = limit
    var start = 0
    while start < shards.count {
      start = subtree(from: start).upperBound
      count += 1
    }
  }

  /// The most subtrees that a run of so many shards is cut into: those of one size, and at both ends
  /// one of each smaller size.
  static func mostCount(shards: Int, threads: Int) -> Int {
    min(shards, 16 * threads + 2 * (Int.bitWidth - shards.leadingZeroBitCount))
  }

  /// The `i`-th subtree, as shards of the run counted from its first.
  subscript(i: Int) -> Range<Int> {
    (0..<i).reduce(subtree(from: 0)) { subtree, _ in self.subtree(from: subtree.upperBound) }
  }

  private func subtree(from start: Int) -> Range<Int> {
    var size = 1
    while size < limit, (shards.first + start) % (2 * size) == 0, start + 2 * size <= shards.count {
      size *= 2
    }
    return start..<start + size
  }
}

extension KernelSet {
  /// sums = what `sum` writes for the shards, `width` floats in each of their planes: for subtrees of
  /// them, that is, which are then added up.
  /// - Parameters:
  ///   - threads: that may share the work.
  ///   - sum: writes the sum of a run of shards, whose first row is given; it must not capture
  ///     anything.
  func sumSubtrees<Operands>(
    of shards: ShardRows, threads: Int, width: Int, into sums: UnsafeMutablePointer<Float>,
    _ operands: Operands,
    _ sum:
      @escaping (
        _ kernels: KernelSet, _ operands: Operands, _ shards: ShardRows, _ firstRow: Int,
        _ sums: UnsafeMutablePointer<Float>
      ) -> Void
  ) {
    shards.forEachPlane { part, firstRow, offset in
      sumPlane(
        of: part, firstRow: firstRow, threads: threads, width: width, into: sums + offset,
        SubtreeOperands(operands: operands, sum: sum))
    }
  }

  private func sumPlane<Operands>(
    of shards: ShardRows, firstRow: Int, threads: Int, width: Int,
    into sums: UnsafeMutablePointer<Float>, _ work: SubtreeOperands<Operands>
  ) {
    guard threads > 1, shards.count > 1 else {
      return work.sum(self, work.operands, shards, firstRow, sums)
    }
    let subtrees = Subtrees(shards, threads: threads)
    let planes = subtreeSums.reserve(subtrees.count * width)
    run(
      EvenBlocks(of: subtrees.count, limit: 1),
      SubtreeSums(
        shards: shards, subtrees: subtrees, firstRow: firstRow, width: width, planes: planes,
        work: work)
    ) { kernels, work, block in work.run(block.lowerBound, kernels) }
    var whole = ShardSum(width: width, shards: shards, kernels: self)
    for i in 0..<subtrees.count {
      whole.leaf.update(from: planes + i * width, count: width)
      let subtree = subtrees[i]
      whole.push(shard: shards.first + subtree.lowerBound, size: subtree.count)
    }
    sums.update(from: whole.finish(), count: width)
  }
}

private struct SubtreeOperands<Operands> {
  let operands: Operands
  let sum: (KernelSet, Operands, ShardRows, Int, UnsafeMutablePointer<Float>) -> Void
}

private struct SubtreeSums<Operands> {
  let shards: ShardRows
  let subtrees: Subtrees
  let firstRow: Int
  let width: Int
  let planes: UnsafeMutablePointer<Float>
  let work: SubtreeOperands<Operands>

  func run(_ i: Int, _ kernels: KernelSet) {
    let subtree = subtrees[i]
    work.sum(
      kernels, work.operands, shards.part(subtree),
      firstRow + shards.rows(of: subtree.lowerBound).lowerBound, planes + i * width)
  }
}
