/// Every rank gets its chunk from the root, down a binomial tree: ceil(log2 p) rounds. A rank gets
/// the chunks of its whole subtree and passes on what is not its own, so every chunk moves at most
/// log2 p times (M. Barnett et al., "Interprocessor collective communication library", SHPCC 1994).
///
///     round 0     0 --efgh--> 4                                  (p = 8, root 0)
///     round 1     0 --cd--> 2       4 --gh--> 6
///     round 2     0 -b-> 1  2 -d-> 3  4 -f-> 5  6 -h-> 7
///
/// Before an allgather it makes a broadcast in which no rank sends twice the buffer, whatever p.
struct TreeScatter: ScheduleGenerator {
  let size: Int
  let count: Int
  let root: Int

  private var tree: BinomialTree { BinomialTree(size: size, root: root) }
  private var chunks: Chunks { Chunks(count: count, parts: size) }

  var roundCount: Int { tree.levels }

  func round(_ number: Int, of rank: Int) -> Round {
    let level = tree.levels - 1 - number
    var round = Round([])
    if let child = tree.child(of: rank, at: level) {
      round.append(.send, .result, child, chunks[tree.subtree(of: child)])
    } else if tree.levelToParent(of: rank) == level {
      round.append(.receive, .result, tree.parent(of: rank), chunks[tree.subtree(of: rank)])
    }
    return round
  }

  /// The chunks of its subtree but its own.
  func elementsSent(by rank: Int) -> Int {
    chunks.elements(in: tree.subtree(of: rank)) - chunks[rank].count
  }
}
