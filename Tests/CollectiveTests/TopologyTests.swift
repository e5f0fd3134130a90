import Testing

@testable import Collective

@Test("a binomial tree's edges meet from both ends, once each", arguments: 1...70)
func treeEdges(size: Int) {
  let tree = BinomialTree(size: size)
  var parents = [Int?](repeating: nil, count: size)
  for rank in 0..<size {
    for level in 0..<tree.levels {
      guard let child = tree.child(of: rank, at: level) else { continue }
      #expect(parents[child] == nil)
      parents[child] = rank
      #expect(tree.parent(of: child) == rank)
      #expect(tree.levelToParent(of: child) == level)
    }
  }
  #expect(tree.levelToParent(of: 0) == nil)
  #expect(parents.dropFirst().allSatisfy { $0 != nil })
  #expect(1 << tree.levels >= size && (size == 1 || 1 << (tree.levels - 1) < size))
}

@Test("a ring visits every rank", arguments: 1...9)
func ringOrder(size: Int) {
  let ring = Ring(size: size)
  var rank = 0
  var seen: Set<Int> = []
  for _ in 0..<size {
    seen.insert(rank)
    #expect(ring.previous(before: ring.next(after: rank)) == rank)
    rank = ring.next(after: rank)
  }
  #expect(rank == 0 && seen.count == size)
}

@Test("chunks cover a buffer in order and differ by one element at most", arguments: 1...9)
func chunks(parts: Int) {
  for count in [0, 1, parts - 1, parts, parts + 1, 1000, 7919] {
    let chunks = Chunks(count: count, parts: parts)
    var end = 0
    for index in 0..<parts {
      #expect(chunks[index].lowerBound == end)
      end = chunks[index].upperBound
      #expect(chunks[index] == chunks[index - parts] && chunks[index] == chunks[index + 2 * parts])
      #expect(abs(chunks[index].count * parts - count) < parts)
    }
    #expect(end == count)
  }
}

@Test(
  "a binomial tree with another root has the same shape, and subtrees that are runs of ranks",
  arguments: 1...33)
func turnedTree(size: Int) {
  for root in 0..<size {
    let tree = BinomialTree(size: size, root: root)
    let plain = BinomialTree(size: size)
    for rank in 0..<size {
      let place = (rank + size - root) % size
      #expect(tree.levelToParent(of: rank) == plain.levelToParent(of: place))
      let children = (0..<tree.levels).compactMap { tree.child(of: rank, at: $0) }
      #expect(tree.childCount(of: rank) == children.count)
      var below: Set<Int> = [rank]
      for child in children {
        #expect(tree.parent(of: child) == rank)
        below.formUnion(tree.subtree(of: child).map { $0 % size })
      }
      #expect(Set(tree.subtree(of: rank).map { $0 % size }) == below)
    }
  }
}

@Test(
  "the double tree's edges meet from both ends, its heights are logarithmic", arguments: 1...130)
func doubleTreeEdges(size: Int) {
  let trees = DoubleBinaryTree(size: size)
  #expect(1 << trees.height <= size && size < 2 << trees.height)
  for tree in 0..<2 {
    var parents = [Int?](repeating: nil, count: size)
    for rank in 0..<size {
      let (left, right) = trees.children(of: rank, in: tree)
      for child in [left, right].compactMap(\.self) {
        #expect(parents[child] == nil)
        parents[child] = rank
        #expect(trees.depth(of: child, in: tree) == trees.depth(of: rank, in: tree) + 1)
      }
    }
    #expect(parents == (0..<size).map { trees.parent(of: $0, in: tree) })
    #expect(parents.count { $0 == nil } == 1)
    #expect((0..<size).map { trees.depth(of: $0, in: tree) }.max() == trees.height)
  }
}

@Test("every rank has children in at most one of the two trees", arguments: 1...130)
func doubleTreeLeaves(size: Int) {
  let trees = DoubleBinaryTree(size: size)
  func isLeaf(_ rank: Int, _ tree: Int) -> Bool { trees.children(of: rank, in: tree) == (nil, nil) }
  for rank in 0..<size {
    #expect(isLeaf(rank, 0) || isLeaf(rank, 1))
    for tree in 0..<2 where !isLeaf(rank, tree) {
      let (left, right) = trees.children(of: rank, in: tree)
      #expect(
        trees.isAboveLeaves(rank, in: tree)
          == [left, right].compactMap(\.self).allSatisfy { isLeaf($0, tree) })
    }
  }
}

@Test("a circulant graph's skips halve down to one", arguments: 1...130)
func circulantSkips(size: Int) {
  let graph = CirculantGraph(size: size)
  var skip = size
  #expect(graph.skip(at: -1) == size)
  for step in 0..<graph.steps {
    skip = (skip + 1) / 2
    #expect(graph.skip(at: step) == skip)
    #expect(graph.rank(before: graph.rank(after: size - 1, by: skip), by: skip) == size - 1)
  }
  #expect(skip == 1)
}

@Test("a row of chunks is one range, or two where it wraps around", arguments: 1...9)
func chunkRows(parts: Int) {
  for count in [1, parts, 1000] {
    let chunks = Chunks(count: count, parts: parts)
    for element in 0..<count { #expect(chunks[chunks.index(of: element)].contains(element)) }
    for first in 0..<parts {
      for length in 0...parts {
        let run = first..<first + length
        let (range, wrapped) = chunks[run]
        #expect(Array(range) + Array(wrapped) == run.flatMap { Array(chunks[$0]) })
        #expect(chunks.elements(in: run) == range.count + wrapped.count)
      }
    }
  }
}
