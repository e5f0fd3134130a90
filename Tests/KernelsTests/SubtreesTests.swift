import Testing

@testable import Kernels

struct SubtreesTests {
  static let runs: [ShardRows] = {
    var draws = Draws(60)
    let drawn = (0..<300).map { _ -> ShardRows in
      let (first, count) = (draws.next(in: 0...70), draws.next(in: 1...70))
      var end = 0
      return ShardRows(
        first: first,
        ends: (0..<count).map { _ in
          end += draws.next(in: 0...3)
          return end
        })
    }
    return drawn + [1, 2, 8, 64, 4096].map { ShardRows(first: 0, ends: Array(1...$0)) }
  }()

  @Test("a run is cut into whole subtrees of the shard tree, in their order")
  func subtrees() {
    for shards in SubtreesTests.runs {
      for threads in [2, 3, 5, 16] {
        let subtrees = Subtrees(shards, threads: threads)
        var end = 0
        for i in 0..<subtrees.count {
          let subtree = subtrees[i]
          #expect(subtree.lowerBound == end)
          #expect(subtree.count & (subtree.count - 1) == 0)
          #expect((shards.first + subtree.lowerBound) % subtree.count == 0)
          end = subtree.upperBound
        }
        #expect(end == shards.count)
        #expect(
          subtrees.count <= Subtrees.mostCount(shards: shards.count, threads: threads),
          "\(shards.count) shards from \(shards.first), \(threads) threads")
      }
    }
  }

  @Test("whole runs keep all threads busy, with few sums")
  func counts() {
    for (count, threads, subtrees) in [
      (8, 2, 2), (8, 4, 4), (8, 8, 8), (8, 3, 8), (4, 2, 2), (1024, 2, 2), (2, 4, 2), (1, 2, 1),
    ] {
      let shards = ShardRows(first: 0, ends: Array(1...count))
      #expect(Subtrees(shards, threads: threads).count == subtrees)
    }
  }
}
