/// Allgather on a circulant graph: ceil(log2 p) rounds and (p-1)/p of the buffer per rank on
/// average, both the least there is, for any p (J. L. Träff, arXiv:2410.14234; the rounds are those
/// of J. Bruck et al., IEEE TPDS 1997). Nothing is added up.
///
/// The circulant reduce-scatter backwards: in the round of skip s, which precedes s', rank r has
/// the chunks of the s ranks from itself on, and gets those of ranks r + s, ..., r + s' - 1 from
/// rank r + s.
///
///     p = 7     skip 1: chunk +0 to r-1     skip 2: +0 +1 to r-2     skip 4: +0 +1 +2 to r-4
struct CirculantAllgather: ScheduleGenerator {
  let size: Int
  let count: Int

  private var graph: CirculantGraph { CirculantGraph(size: size) }
  private var chunks: Chunks { Chunks(count: count, parts: size) }

  var roundCount: Int { graph.steps }

  func round(_ number: Int, of rank: Int) -> Round {
    let step = roundCount - 1 - number
    let (before, skip) = (graph.skip(at: step - 1), graph.skip(at: step))
    var round = Round([])
    round.append(
      .send, .result, graph.rank(before: rank, by: skip), chunks[rank..<rank + before - skip])
    round.append(
      .receive, .result, graph.rank(after: rank, by: skip), chunks[rank + skip..<rank + before])
    return round
  }

  /// Each round's row of chunks, from its own on.
  func elementsSent(by rank: Int) -> Int {
    (0..<roundCount).reduce(0) { sum, step in
      sum + chunks.elements(in: rank..<rank + graph.skip(at: step - 1) - graph.skip(at: step))
    }
  }
}
