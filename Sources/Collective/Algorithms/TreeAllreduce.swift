/// Reduce to rank 0 along a binomial tree, then broadcast back: 2 ceil(log2 p) rounds. Every rank but
/// the root sends the buffer to its parent once, and every parent sends it to each child once
/// (Thakur, Rabenseifner & Gropp, IJHPCA 2005, section 3).
///
///     round 0     0 <- 1    2 <- 3    4 <- 5    6 <- 7
///     round 1     0 <------ 2         4 <------ 6
///     round 2     0 <---------------- 4
///     rounds 3, 4, 5: the same arrows turned round, the longest first
///
/// Ranks combine nearest first, so the sum follows the canonical tree.
struct TreeAllreduce: ScheduleGenerator {
  let size: Int
  let count: Int

  var roundCount: Int { 2 * BinomialTree(size: size).levels }

  func round(_ number: Int, of rank: Int) -> Round {
    let tree = BinomialTree(size: size)
    let isUp = number < tree.levels
    let level = isUp ? number : 2 * tree.levels - 1 - number
    let payload: Transfer.Payload = isUp ? (level == 0 ? .input : .partial) : .result
    if let child = tree.child(of: rank, at: level) {
      return Round([Transfer(isUp ? .receive : .send, payload, child, 0..<count)])
    }
    if tree.levelToParent(of: rank) == level {
      return Round([Transfer(isUp ? .send : .receive, payload, tree.parent(of: rank), 0..<count)])
    }
    return Round([])
  }

  func elementsSent(by rank: Int) -> Int {
    let tree = BinomialTree(size: size)
    let children = (0..<tree.levels).filter { tree.child(of: rank, at: $0) != nil }.count
    return (children + (rank == 0 ? 0 : 1)) * count
  }
}
