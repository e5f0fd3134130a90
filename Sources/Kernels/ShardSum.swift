/// Adds up one partial sum per shard along the balanced binary tree over all shards, whatever run
/// of shards this rank holds: a binary counter whose digits are subtrees.
///
///     shard      0   1   2   3   4   5   6   7
///                 \ /     \ /     \ /     \ /
///                  +       +       +       +
///                   \     /         \     /
///                      +               +
///                        \           /
///                              +
///
/// A subtree is merged with its left sibling as soon as both are complete. What is left at the end
/// - a run that starts or ends inside a subtree - is added from the right to the left.
struct ShardSum {
  private let add: @convention(c) (Int, UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void
  private let slots: UnsafeMutablePointer<Float>
  private let width: Int
  private var depth = 0
  // A run leaves at most two unmerged subtrees per level, and there are fewer than 64 levels.
  private var starts = InlineArray<128, Int>(repeating: 0)
  private var sizes = InlineArray<128, Int>(repeating: 0)

  /// Sums of `width` floats each, kept in `kernels.partialSums` until the next `ShardSum`.
  init(width: Int, shards: ShardRows, kernels: KernelSet) {
    let end = shards.first + shards.count
    let levels = Int.bitWidth - end.leadingZeroBitCount
    slots = kernels.partialSums.reserve((2 * levels + 2) * width)
    self.width = width
    add = kernels.table.add
  }

  /// Where the next shard's partial sum has to be written before it is pushed.
  var leaf: UnsafeMutablePointer<Float> { slots + depth * width }

  /// Takes `leaf` as the partial sum of `shard`, or of the subtree of `size` shards that begins with
  /// it. They come in ascending order, without gaps.
  mutating func push(shard: Int, size: Int = 1) {
    starts[depth] = shard
    sizes[depth] = size
    depth += 1
    while depth >= 2, sizes[depth - 1] == sizes[depth - 2],
      starts[depth - 2] % (2 * sizes[depth - 2]) == 0
    {
      merge()
    }
  }

  /// The sum over all shards pushed; the value is then as it was created.
  mutating func finish() -> UnsafeMutablePointer<Float> {
    precondition(depth > 0)
    while depth >= 2 { merge() }
    depth = 0
    return slots
  }

  private mutating func merge() {
    add(width, slots + (depth - 1) * width, slots + (depth - 2) * width)
    sizes[depth - 2] += sizes[depth - 1]
    depth -= 1
  }
}
