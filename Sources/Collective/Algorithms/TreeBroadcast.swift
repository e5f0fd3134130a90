/// The root's buffer goes down a binomial tree: ceil(log2 p) rounds, in which every rank sends the
/// buffer to each of its children, the farthest first (Thakur, Rabenseifner & Gropp, IJHPCA 2005,
/// section 3). Nothing is added up.
///
///     round 0     0 ----------------> 4
///     round 1     0 ------> 2         4 ------> 6
///     round 2     0 -> 1    2 -> 3    4 -> 5    6 -> 7
struct TreeBroadcast: ScheduleGenerator {
  let size: Int
  let count: Int
  var root = 0

  private var tree: BinomialTree { BinomialTree(size: size, root: root) }

  var roundCount: Int { tree.levels }

  func round(_ number: Int, of rank: Int) -> Round {
    let level = tree.levels - 1 - number
    if let child = tree.child(of: rank, at: level) {
      return Round([Transfer(.send, .result, child, 0..<count)])
    }
    guard tree.levelToParent(of: rank) == level else { return Round([]) }
    return Round([Transfer(.receive, .result, tree.parent(of: rank), 0..<count)])
  }

  func elementsSent(by rank: Int) -> Int { tree.childCount(of: rank) * count }
}
