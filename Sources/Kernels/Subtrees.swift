/// A run of shards cut into whole subtrees of the shard tree, all of one size: threads add up one each,
/// and the sums of these are added along the rest of the tree. An addition is the same in both.
///
///     shard      0   1   2   3   4   5   6   7
///                 \ /     \ /     \ /     \ /
///                  +       +       +       +         subtrees of 4: two threads
///                   \     /         \     /
///                      +               +
///                        \           /
///                              +                     the caller
struct Subtrees {
  private let shards: ShardRows
  /// Shards of each; a power of two that divides the run's start and its length.
  let size: Int

  var count: Int { shards.count / size }

  init(_ shards: ShardRows, threads: Int) {
    self.shards = shards
    func share(_ count: Int) -> Double {
      Double(count) / Double((count + threads - 1) / threads * threads)
    }
    // The largest that keep the threads busy: every subtree's sum takes memory.
    var size = 1
    while (shards.first | shards.count) % (2 * size) == 0 { size *= 2 }
    var best = size
    while share(shards.count / best) < 0.85, size > 1 {
      size /= 2
      if share(shards.count / size) > share(shards.count / best) { best = size }
    }
    self.size = threads == 1 ? shards.count : best
  }

  /// The `i`-th subtree, and its first row.
  subscript(i: Int) -> (shards: ShardRows, firstRow: Int) {
    let first = i * size
    return (shards.part(first..<first + size), shards.rows(of: first).lowerBound)
  }

  /// Their sums, as if they were shards.
  var whole: ShardRows {
    ShardRows(
      first: shards.first / size, ends: (0..<count).map { shards.ends[($0 + 1) * size - 1] })
  }
}

extension KernelSet {
  /// sums = what `sum` writes for the shards, `width` floats: for subtrees of them, that is, which
  /// are then added up.
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
    guard threads > 1, shards.count > 1 else { return sum(self, operands, shards, 0, sums) }
    let subtrees = Subtrees(shards, threads: threads)
    let planes = subtreeSums.reserve(subtrees.count * width)
    run(
      EvenBlocks(of: subtrees.count, limit: 1),
      SubtreeSums(subtrees: subtrees, width: width, planes: planes, operands: operands, sum: sum)
    ) { kernels, work, block in work.run(block.lowerBound, kernels) }
    var whole = ShardSum(width: width, shards: subtrees.whole, kernels: self)
    for i in 0..<subtrees.count {
      whole.leaf.update(from: planes + i * width, count: width)
      whole.push(shard: subtrees.whole.first + i)
    }
    sums.update(from: whole.finish(), count: width)
  }
}

private struct SubtreeSums<Operands> {
  let subtrees: Subtrees
  let width: Int
  let planes: UnsafeMutablePointer<Float>
  let operands: Operands
  let sum: (KernelSet, Operands, ShardRows, Int, UnsafeMutablePointer<Float>) -> Void

  func run(_ i: Int, _ kernels: KernelSet) {
    let (shards, firstRow) = subtrees[i]
    sum(kernels, operands, shards, firstRow, planes + i * width)
  }
}
