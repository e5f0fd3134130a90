/// Reduce-scatter and allgather on a circulant graph: 2 ceil(log2 p) rounds and 2(p-1)/p of the buffer
/// per rank, both the least there is, for any p (J. L. Träff, "Optimal, non-pipelined reduce-scatter and
/// allreduce algorithms", arXiv:2410.14234).
///
/// Skips halve from p down to 1, rounded up: 7 -> 4, 2, 1. In the round of skip s, which follows s', every
/// rank r sends the chunks of ranks r + s, ..., r + s' - 1 to rank r + s, and adds what rank r - s sends:
/// whatever it holds is then for the s ranks from itself on.
///
///     p = 7     skip 4: chunks +4 +5 +6 to r+4     skip 2: +2 +3 to r+2     skip 1: +1 to r+1
///
/// The allgather is the same backwards.
struct Circulant {
  let size: Int
  let count: Int

  private var chunks: Chunks { Chunks(count: count, parts: size) }

  /// p, then the skip of each round.
  private var skips: [Int] {
    var skips = [size]
    while skips.last! > 1 { skips.append((skips.last! + 1) / 2) }
    return skips
  }

  func rounds(of rank: Int) -> [Round] {
    let steps = zip(skips, skips.dropFirst())
    let reduceScatter = steps.map { before, skip in
      let (to, from) = ((rank + skip) % size, (rank + size - skip) % size)
      let payload: Transfer.Payload = before == size ? .input : .partial
      return Round(
        transfers(.send, payload, to, rank + skip..<rank + before)
          + transfers(.receive, payload, from, rank..<rank + before - skip))
    }
    let allgather = steps.map { before, skip in
      let (to, from) = ((rank + size - skip) % size, (rank + skip) % size)
      return Round(
        transfers(.send, .result, to, rank..<rank + before - skip)
          + transfers(.receive, .result, from, rank + skip..<rank + before))
    }
    return reduceScatter + allgather.reversed()
  }

  /// A run of chunks, counted modulo the size: one transfer, or two where it wraps around.
  private func transfers(
    _ direction: Transfer.Direction, _ payload: Transfer.Payload, _ peer: Int, _ run: Range<Int>
  ) -> [Transfer] {
    let first = run.lowerBound % size
    let end = first + run.count
    let ranges = end <= size ? [first..<end] : [first..<size, 0..<end - size]
    return ranges.map { range in
      Transfer(
        direction, payload, peer,
        chunks[range.lowerBound].lowerBound..<chunks[range.upperBound - 1].upperBound)
    }
  }

  /// All chunks but its own, then all that others do not have from elsewhere: each round's run.
  func elementsSent(by rank: Int) -> Int {
    let others = count - chunks[rank].count
    let returned = zip(skips, skips.dropFirst()).reduce(0) { sum, step in
      (rank..<rank + step.0 - step.1).reduce(sum) { $0 + chunks[$1].count }
    }
    return others + returned
  }

  var roundCount: Int { 2 * (skips.count - 1) }
}
