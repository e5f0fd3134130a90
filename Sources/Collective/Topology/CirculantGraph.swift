/// Every rank talks to the ranks at certain distances, its skips: p halved again and again, rounded
/// up.
///
///     p = 7     step 0: skip 4     step 1: skip 2     step 2: skip 1
///
/// A skip is at least half of the one before, so the distances 1, ..., p - 1 are all sums of skips.
struct CirculantGraph {
  let size: Int

  /// ceil(log2 p).
  var steps: Int { Int.bitWidth - (size - 1).leadingZeroBitCount }

  /// The distance at `step`; at step -1, where nothing has been halved, the size.
  func skip(at step: Int) -> Int { (size + (1 << (step + 1)) - 1) >> (step + 1) }

  func rank(after rank: Int, by skip: Int) -> Int {
    rank + skip < size ? rank + skip : rank + skip - size
  }

  func rank(before rank: Int, by skip: Int) -> Int {
    rank < skip ? rank - skip + size : rank - skip
  }
}
