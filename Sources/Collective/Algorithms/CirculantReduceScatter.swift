/// Reduce-scatter on a circulant graph: ceil(log2 p) rounds and (p-1)/p of the buffer per rank,
/// both the least there is, for any p (J. L. Träff, "Optimal, non-pipelined reduce-scatter and
/// allreduce algorithms", arXiv:2410.14234).
///
/// In the round of skip s, which follows s', every rank r sends the chunks of ranks r + s, ..., r +
/// s' - 1 to rank r + s, and adds what rank r - s sends: whatever it holds is then for the s ranks
/// from itself on.
///
///     p = 7     skip 4: chunks +4 +5 +6 to r+4     skip 2: +2 +3 to r+2     skip 1: +1 to r+1
///
/// A chunk is added up along a binary tree of depth ceil(log2 p), whose shape depends on p and
/// which is turned by one rank from chunk to chunk.
struct CirculantReduceScatter: ScheduleGenerator {
  let size: Int
  let count: Int

  private var graph: CirculantGraph { CirculantGraph(size: size) }

  var roundCount: Int { graph.steps }

  func round(_ number: Int, of rank: Int) -> Round {
    let chunks = Chunks(count: count, parts: size)
    let (before, skip) = (graph.skip(at: number - 1), graph.skip(at: number))
    let payload: Transfer.Payload = number == 0 ? .input : .partial
    var round = Round([])
    round.append(
      .send, payload, graph.rank(after: rank, by: skip), chunks[rank + skip..<rank + before])
    round.append(
      .receive, payload, graph.rank(before: rank, by: skip), chunks[rank..<rank + before - skip])
    return round
  }

  /// All chunks but its own.
  func elementsSent(by rank: Int) -> Int {
    count - Chunks(count: count, parts: size)[rank].count
  }
}
