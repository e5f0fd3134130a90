import Datasets
import Testing

@testable import Training

@Suite("passes over a rank's part of a batch")
struct AccumulationPlanTests {
  /// A sum in words: `(0+1)` says what was added to what.
  private static func tree(_ shards: Range<Int>) -> String {
    // A run's maximal aligned subtrees, added from the right to the left, as `ShardSum` does.
    var subtrees: [String] = []
    var start = shards.lowerBound
    func balanced(_ range: Range<Int>) -> String {
      if range.count == 1 { return "\(range.lowerBound)" }
      let middle = range.lowerBound + range.count / 2
      return "(\(balanced(range.lowerBound..<middle))+\(balanced(middle..<range.upperBound)))"
    }
    while start < shards.upperBound {
      var size = 1
      while start % (2 * size) == 0, start + 2 * size <= shards.upperBound { size *= 2 }
      subtrees.append(balanced(start..<start + size))
      start += size
    }
    let last = subtrees.removeLast()
    return subtrees.reversed().reduce(last) { "(\($1)+\($0))" }
  }

  /// Follows a plan as `GradientAccumulator` does.
  private func sum(_ plan: AccumulationPlan, first: Int) -> String {
    var sums = [String](repeating: "?", count: plan.sumCount)
    var result = ""
    for (number, pass) in plan.passes.enumerated() {
      result = AccumulationPlanTests.tree(
        pass.shards.lowerBound + first..<pass.shards.upperBound + first)
      for waiting in (pass.waiting..<pass.waiting + pass.merges).reversed() {
        result = "(\(sums[waiting])+\(result))"
        sums[waiting] = "?"
      }
      if number + 1 < plan.passes.count { sums[pass.waiting] = result }
    }
    return result
  }

  @Test("on a power of two of ranks, passes follow the tree of one pass", arguments: [1, 2, 4, 8])
  func sameTree(ranks: Int) {
    for shards in [8, 16, 64] {
      let partition = Partition(shards: shards, ranks: ranks)
      var count = 1
      while ranks * count <= shards {
        for rank in 0..<ranks {
          let plan = AccumulationPlan(partition, rank: rank, passes: count)
          let run = partition.shards(of: rank)
          #expect(plan.passes.count == count)
          #expect(plan.passes.allSatisfy { $0.shards.count == run.count / count })
          #expect(plan.sumCount == count.trailingZeroBitCount)
          #expect(sum(plan, first: run.lowerBound) == AccumulationPlanTests.tree(run))
        }
        count *= 2
      }
    }
  }

  @Test("on any number of ranks, passes cover every shard once", arguments: 1...9)
  func cover(ranks: Int) {
    for shards in [16, 64, 48] where shards >= ranks {
      let partition = Partition(shards: shards, ranks: ranks)
      var count = 2
      while ranks * count <= shards {
        for rank in 0..<ranks {
          let plan = AccumulationPlan(partition, rank: rank, passes: count)
          #expect(plan.passes.flatMap(\.shards) == Array(0..<partition.shards(of: rank).count))
          #expect(plan.passes.count >= count)
          let words = sum(plan, first: partition.shards(of: rank).lowerBound)
          #expect(!words.contains("?"))
          #expect(words.filter { $0 == "+" }.count == partition.shards(of: rank).count - 1)
        }
        count *= 2
      }
    }
  }

  @Test("the picture in the documentation is true")
  func picture() {
    let plan = AccumulationPlan(Partition(shards: 8, ranks: 1), rank: 0, passes: 4)
    #expect(
      plan.passes == [
        .init(shards: 0..<2, merges: 0, waiting: 0), .init(shards: 2..<4, merges: 1, waiting: 0),
        .init(shards: 4..<6, merges: 0, waiting: 1), .init(shards: 6..<8, merges: 2, waiting: 0),
      ])
  }

  @Test("no pass of an epoch has more rows than maximumRows")
  func maximumRows() {
    for (count, batchSize) in [(100, 32), (107, 12), (11, 100), (1000, 33)] {
      let sampler = Sampler(count: count, batchSize: batchSize, seed: 1, shuffles: false)
      let partition = Partition(shards: 8, ranks: 2)
      for rank in 0..<2 {
        let plan = AccumulationPlan(partition, rank: rank, passes: 4)
        let rows = (0..<sampler.batchesPerEpoch).flatMap { number in
          let size = sampler.positions(ofBatch: number).count
          return plan.passes.map { pass in
            pass.shards.reduce(0) {
              let shard = partition.shards(of: rank).lowerBound + $1
              return $0 + partition.samples(of: shard, batchSize: size).count
            }
          }
        }
        #expect(plan.maximumRows(partition, rank: rank, sampler: sampler) == rows.max()!)
      }
    }
  }
}
