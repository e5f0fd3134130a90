/// Half of the buffer goes up and down each tree of a `DoubleBinaryTree`, in segments one behind
/// the other: S + 2 floor(log2 p) - 1 rounds, in which no rank sends more than twice the buffer
/// (P. Sanders, J. Speck & J. L. Träff, Parallel Computing 35, 2009). For many bytes on many ranks.
///
/// All ranks keep the same time: in a tree of height h, a rank at depth d sends the sum of segment
/// s to its parent in round s + h - d, and the result of segment s to its children in round s + h +
/// d.
///
///     round              0   1   2   3   4   5        (one tree, p = 7: h = 2; S = 3)
///     from depth 2 up    0   1   2
///     from depth 1 up        0   1   2
///     from the root down         0   1   2
///     from depth 1 down              0   1   2
///
/// A rank adds what its children send to its own input: another order in each half, and for every
/// p.
struct DoubleTreeAllreduce: ScheduleGenerator {
  let size: Int
  let count: Int

  private var trees: DoubleBinaryTree { DoubleBinaryTree(size: size) }
  private var halves: Chunks { Chunks(count: count, parts: 2) }

  /// S, the segments of each half. They have at least 4,096 elements: on less, a network spends its
  /// time on starting messages. There are no more than 128: filling the pipeline is then the lesser
  /// part on any number of ranks.
  var segments: Int { max(1, min(128, count / 2 / 4096)) }

  var roundCount: Int { size == 1 ? 0 : segments + 2 * trees.height - 1 }

  func round(_ number: Int, of rank: Int) -> Round {
    var sends: [Transfer] = []
    var receives: [Transfer] = []
    for tree in 0..<2 {
      let parent = trees.parent(of: rank, in: tree)
      let (left, right) = trees.children(of: rank, in: tree)
      let children = [left, right].compactMap(\.self)
      let depth = trees.depth(of: rank, in: tree)
      // The segment that the root would send: ranks below are as many ahead, going up, and behind,
      // going down, as they are deep.
      let atRoot = number - trees.height
      if let sum = segment(atRoot + depth, ofHalf: tree), let parent {
        sends.append(Transfer(.send, payload(to: parent, in: tree), parent, sum))
      }
      if let sum = segment(atRoot + depth + 1, ofHalf: tree) {
        receives += children.map { Transfer(.receive, payload(to: rank, in: tree), $0, sum) }
      }
      if let result = segment(atRoot - depth + 1, ofHalf: tree), let parent {
        receives.append(Transfer(.receive, .result, parent, result))
      }
      if let result = segment(atRoot - depth, ofHalf: tree) {
        sends += children.map { Transfer(.send, .result, $0, result) }
      }
    }
    return Round(sends + receives.sorted { $0.peer < $1.peer })
  }

  /// Leaves send their inputs; the children of one parent all send the same kind.
  private func payload(to parent: Int, in tree: Int) -> Transfer.Payload {
    trees.isAboveLeaves(parent, in: tree) ? .input : .partial
  }

  private func segment(_ index: Int, ofHalf half: Int) -> Range<Int>? {
    guard (0..<segments).contains(index) else { return nil }
    let half = halves[half]
    let range = Chunks(count: half.count, parts: segments)[index]
    return half.lowerBound + range.lowerBound..<half.lowerBound + range.upperBound
  }

  /// Each half, to the parent and to every child in its tree.
  func elementsSent(by rank: Int) -> Int {
    (0..<2).reduce(0) { sum, tree in
      let (left, right) = trees.children(of: rank, in: tree)
      let neighbours = [trees.parent(of: rank, in: tree), left, right].compactMap(\.self)
      return sum + neighbours.count * halves[tree].count
    }
  }
}
