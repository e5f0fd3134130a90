/// The root gets every rank's chunk, up a binomial tree: ceil(log2 p) rounds, in which every rank
/// but the root sends the chunks of its whole subtree once (M. Barnett et al., "Interprocessor
/// collective communication library", SHPCC 1994).
///
///     round 0     0 <-b- 1  2 <-d- 3  4 <-f- 5  6 <-h- 7         (p = 8, root 0)
///     round 1     0 <--cd-- 2       4 <--gh-- 6
///     round 2     0 <--efgh-- 4
///
/// After a reduce-scatter it makes a reduce in which no rank sends twice the buffer, whatever p.
struct TreeGather: ScheduleGenerator {
  let size: Int
  let count: Int
  let root: Int

  private var tree: BinomialTree { BinomialTree(size: size, root: root) }
  private var chunks: Chunks { Chunks(count: count, parts: size) }

  var roundCount: Int { tree.levels }

  func round(_ number: Int, of rank: Int) -> Round {
    var round = Round([])
    if let child = tree.child(of: rank, at: number) {
      round.append(.receive, .result, child, chunks[tree.subtree(of: child)])
    } else if tree.levelToParent(of: rank) == number {
      round.append(.send, .result, tree.parent(of: rank), chunks[tree.subtree(of: rank)])
    }
    return round
  }

  func elementsSent(by rank: Int) -> Int {
    rank == root ? 0 : chunks.elements(in: tree.subtree(of: rank))
  }
}
