/// Which ranks share memory with which.
public struct NodeMap: Equatable, Sendable {
  /// The ranks of every node, ascending; nodes in the order of their lowest ranks.
  public let nodes: [[Int]]

  /// - Parameter keys: of every rank; ranks with equal keys share a node.
  public init(keys: [Int]) {
    var order: [Int] = []
    var ranks: [Int: [Int]] = [:]
    for (rank, key) in keys.enumerated() {
      if ranks[key] == nil { order.append(key) }
      ranks[key, default: []].append(rank)
    }
    nodes = order.map { ranks[$0]! }
  }

  /// Ranks in all.
  public var size: Int { nodes.reduce(0) { $0 + $1.count } }

  func node(of rank: Int) -> Int { nodes.firstIndex { $0.contains(rank) }! }

  /// Chunks that nodes can exchange side by side: every node has that many ranks.
  var lanes: Int { nodes.map(\.count).min()! }

  /// Whether nodes hold runs of ranks, one behind the other.
  var areRuns: Bool { nodes.joined().elementsEqual(0..<size) }

  /// The tree over ranks as one over nodes, which hold what their ranks hold together; nil where
  /// these are no runs of leaves.
  func tree(over tree: SumTree) -> SumTree? {
    guard areRuns else { return nil }
    return SumTree(
      runs: nodes.map {
        tree.run(of: $0.first!).lowerBound..<tree.run(of: $0.last!).upperBound
      })
  }

  /// Whether adding up each node first, and then the nodes, follows the canonical tree over all
  /// ranks: nodes hold runs of ranks of one length, a power of two (the last may hold fewer).
  public var isCanonical: Bool {
    let length = nodes[0].count
    guard nodes.count == 1 || length & (length - 1) == 0 else { return false }
    var next = 0
    for (index, ranks) in nodes.enumerated() {
      guard ranks.elementsEqual(next..<next + ranks.count),
        ranks.count == length || index == nodes.count - 1 && ranks.count < length
      else { return false }
      next += ranks.count
    }
    return true
  }
}
