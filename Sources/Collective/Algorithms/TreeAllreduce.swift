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
struct TreeAllreduce {
  let size: Int
  let count: Int

  func rounds(of rank: Int) -> [Round] {
    let tree = BinomialTree(size: size)
    let all = 0..<count
    func meeting(at level: Int, up: Bool) -> Round {
      let payload: Transfer.Payload = up ? (level == 0 ? .input : .partial) : .result
      if let child = tree.child(of: rank, at: level) {
        return Round([Transfer(up ? .receive : .send, payload, child, all)])
      }
      if tree.levelToParent(of: rank) == level {
        return Round([Transfer(up ? .send : .receive, payload, tree.parent(of: rank), all)])
      }
      return Round([])
    }
    return (0..<tree.levels).map { meeting(at: $0, up: true) }
      + (0..<tree.levels).reversed().map { meeting(at: $0, up: false) }
  }

  func elementsSent(by rank: Int) -> Int {
    let tree = BinomialTree(size: size)
    let children = (0..<tree.levels).filter { tree.child(of: rank, at: $0) != nil }.count
    return (children + (rank == 0 ? 0 : 1)) * count
  }
}
