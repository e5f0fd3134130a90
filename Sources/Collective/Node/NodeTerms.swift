/// What the ranks of a node bring into a sum: a plane each, or the planes of a `SumTree`. Plain
/// memory, which is its group's: calls of few bytes are too short to count references.
struct NodeTerms {
  /// In the order of the sum; ranks are local.
  let terms: UnsafeMutableBufferPointer<SumTree.Term>
  /// Of each term, its first leaf; nil where ranks are the leaves.
  let starts: UnsafeMutablePointer<Int>?
  /// The most planes that a rank of the group has.
  let planes: Int
  /// Planes that this rank has.
  let ownPlanes: Int
  /// The terms that make each plane of the node's own sum: one, unless it has part in a `SumTree` over
  /// nodes.
  let sums: UnsafeMutableBufferPointer<Range<Int>>
  /// The most planes that a node's sum has.
  let sumPlanes: Int
  /// Whether nodes' sums have planes, and are added up along a `SumTree` over nodes.
  let addsPlanesAcross: Bool

  /// One plane of each rank.
  init(ranks: Int) {
    terms = .allocate(copying: SumTree(ofRanks: ranks).terms)
    starts = nil
    (planes, ownPlanes) = (1, 1)
    sums = .allocate(copying: [0..<ranks])
    sumPlanes = 1
    addsPlanesAcross = false
  }

  /// - Parameters:
  ///   - members: the node's ranks.
  ///   - rank: this rank, counted among them.
  ///   - nodes: the tree over nodes, which are runs of ranks.
  init(_ tree: SumTree, members: [Int], rank: Int, nodes: SumTree, node: Int) {
    let terms = members.enumerated().flatMap { local, member in
      tree.subtrees[member].enumerated().map { plane, leaves in
        SumTree.Term(rank: local, plane: plane, start: leaves.lowerBound)
      }
    }
    self.terms = .allocate(copying: terms)
    starts = .allocate(capacity: terms.count)
    starts!.initialize(from: terms.map(\.start), count: terms.count)
    planes = tree.planes
    ownPlanes = tree.subtrees[members[rank]].count
    sums = .allocate(
      copying: nodes.subtrees[node].map { leaves in
        terms.firstIndex {
          $0.start >= leaves.lowerBound
        }!..<(terms.firstIndex { $0.start >= leaves.upperBound } ?? terms.count)
      })
    sumPlanes = nodes.planes
    addsPlanesAcross = !nodes.isOfRanks
  }

  func deallocate() {
    terms.deallocate()
    starts?.deallocate()
    sums.deallocate()
  }
}
