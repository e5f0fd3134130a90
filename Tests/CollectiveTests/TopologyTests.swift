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
