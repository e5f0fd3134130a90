/// Sums go to rank 0 along the tree of leaves: about ceil(log2 p) rounds. A subtree's sum is made by
/// the rank that holds its first leaf, in that leaf's plane; what is complete goes to the rank of
/// its left sibling, in the last round that is early enough.
///
///     leaf        0 + 1 | 2 + 3 | 4 | 5 | 6 + 7        8 leaves, 3 ranks
///     rank        0     | 1           | 2
///     round 0                       4 <- 5 <- 6 7      both planes of rank 2: rank 1 has 4 ... 7
///             0 1 <------ 2 3
///     round 1     0 <-------------- 4                  rank 0 has all
///
/// All that a rank gets in a round becomes one sum with its own planes to the left of it: nothing
/// waits beside them.
struct TreePlaneReduce: ScheduleGenerator {
  let tree: SumTree
  let count: Int
  private(set) var roundCount = 0
  private var moves: [[Move]]

  /// A plane on its way: from a rank to the plane in which it is summed, on the same rank or another.
  private struct Move {
    var round: Int
    var source: SumTree.Term
    var target: SumTree.Term
  }

  init(tree: SumTree, count: Int) {
    self.tree = tree
    self.count = count
    moves = Array(repeating: [], count: tree.ranks)
    let terms = tree.terms
    roundCount = combine(0..<terms.count, of: terms).ready
    for rank in moves.indices {
      moves[rank].sort { ($0.round, $0.source.start) < ($1.round, $1.source.start) }
    }
  }

  var size: Int { tree.ranks }

  /// Notes how the sum of a subtree's terms is made.
  /// - Returns: the term whose plane it is made in, and the rounds that it takes.
  private mutating func combine(
    _ run: Range<Int>, of terms: [SumTree.Term]
  ) -> (term: SumTree.Term, ready: Int) {
    guard run.count > 1 else { return (terms[run.lowerBound], 0) }
    let middle = SumTree.middle(of: run) { terms[$0].start }
    let left = combine(run.lowerBound..<middle, of: terms)
    let right = combine(middle..<run.upperBound, of: terms)
    let isLocal = left.term.rank == right.term.rank
    // What a rank has of two siblings becomes one when the later of them is complete: of itself it
    // has no two.
    let ready = max(left.ready, isLocal ? right.ready : right.ready + 1)
    let move = Move(round: ready - 1, source: right.term, target: left.term)
    moves[right.term.rank].append(move)
    if !isLocal { moves[left.term.rank].append(move) }
    return (left.term, ready)
  }

  func round(_ number: Int, of rank: Int) -> Round {
    let moves = moves[rank].filter { $0.round == number }
    let received = moves.filter { $0.target.rank == rank }
    // Subtrees of one round are parts of each other: all becomes one sum.
    let target = received.map(\.target.plane).min() ?? 0
    return Round(
      received.map {
        Transfer(
          .receive, .partial, $0.source.rank, 0..<count, plane: $0.source.plane, target: target)
      }
        + moves.filter { $0.target.rank != rank }.map {
          Transfer(.send, .partial, $0.target.rank, 0..<count, plane: $0.source.plane)
        })
  }

  func elementsSent(by rank: Int) -> Int {
    count * moves[rank].count { $0.source.rank == rank && $0.target.rank != rank }
  }
}
