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
struct Circulant: ScheduleGenerator {
  let size: Int
  let count: Int

  private var chunks: Chunks { Chunks(count: count, parts: size) }

  /// ceil(log2 p).
  private var steps: Int { Int.bitWidth - (size - 1).leadingZeroBitCount }

  /// p halved `step` times, rounded up: the skip before step `step`, and that of step `step` - 1.
  private func skip(before step: Int) -> Int { (size + (1 << step) - 1) >> step }

  var roundCount: Int { 2 * steps }

  func round(_ number: Int, of rank: Int) -> Round {
    let isGathering = number >= steps
    let step = isGathering ? roundCount - 1 - number : number
    let (before, skip) = (skip(before: step), skip(before: step + 1))
    let (after, behind) = ((rank + skip) % size, (rank + size - skip) % size)
    let (others, own) = (rank + skip..<rank + before, rank..<rank + before - skip)
    if isGathering {
      return Round(
        transfers(.send, .result, behind, own) + transfers(.receive, .result, after, others))
    }
    let payload: Transfer.Payload = step == 0 ? .input : .partial
    return Round(
      transfers(.send, payload, after, others) + transfers(.receive, payload, behind, own))
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
    (0..<steps).reduce(count - chunks[rank].count) { sum, step in
      let run = skip(before: step) - skip(before: step + 1)
      return transfers(.send, .result, rank, rank..<rank + run).reduce(sum) { $0 + $1.range.count }
    }
  }
}
