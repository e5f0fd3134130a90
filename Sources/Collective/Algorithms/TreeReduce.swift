/// Sums go to the root along a binomial tree: ceil(log2 p) rounds, in which every rank but the root
/// sends the buffer once (Thakur, Rabenseifner & Gropp, IJHPCA 2005, section 3).
///
///     round 0     0 <- 1    2 <- 3    4 <- 5    6 <- 7
///     round 1     0 <------ 2         4 <------ 6
///     round 2     0 <---------------- 4
///
/// Ranks combine nearest first, so the sum follows the canonical tree if the root is rank 0. With
/// another root the same tree begins there.
struct TreeReduce: ScheduleGenerator {
  let size: Int
  let count: Int
  var root = 0

  private var tree: BinomialTree { BinomialTree(size: size, root: root) }

  var roundCount: Int { tree.levels }

  func round(_ number: Int, of rank: Int) -> Round {
    if let child = tree.child(of: rank, at: number) {
      return Round([Transfer(.receive, payload(from: child), child, 0..<count)])
    }
    guard tree.levelToParent(of: rank) == number else { return Round([]) }
    return Round([Transfer(.send, payload(from: rank), tree.parent(of: rank), 0..<count)])
  }

  /// A leaf has nothing but its own input.
  private func payload(from rank: Int) -> Transfer.Payload {
    tree.childCount(of: rank) == 0 ? .input : .partial
  }

  func elementsSent(by rank: Int) -> Int { rank == root ? 0 : count }
}
