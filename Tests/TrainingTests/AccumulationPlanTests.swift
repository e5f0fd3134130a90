import Datasets
import Kernels
import Testing

@testable import Training

@Suite("passes over a rank's part of a batch")
struct AccumulationPlanTests {
  /// The sum of a complete subtree in words: `(0+1)` says what was added to what.
  private static func tree(_ shards: Range<Int>) -> String {
    if shards.count == 1 { return "\(shards.lowerBound)" }
    let middle = shards.lowerBound + shards.count / 2
    return "(\(tree(shards.lowerBound..<middle))+\(tree(middle..<shards.upperBound)))"
  }

  /// The planes that a rank is left with when it follows a plan as `GradientAccumulator` does.
  private func sums(_ plan: AccumulationPlan, first: Int) -> [String] {
    var planes = [String](repeating: "?", count: plan.planes)
    var used = 0
    for pass in plan.passes {
      #expect(pass.plane == used, "a pass writes behind what waits")
      let shards = pass.shards.lowerBound + first..<pass.shards.upperBound + first
      for (number, subtree) in shards.subtrees.enumerated() {
        planes[pass.plane + number] = AccumulationPlanTests.tree(subtree)
        used += 1
      }
      for merge in 0..<pass.merges {
        let plane = pass.plane - merge
        planes[plane - 1] = "(\(planes[plane - 1])+\(planes[plane]))"
        planes[plane] = "?"
        used -= 1
      }
    }
    return Array(planes[..<used])
  }

  @Test(
    "on any number of ranks, passes leave the sums of the rank's complete subtrees",
    arguments: 1...16)
  func sameTree(ranks: Int) {
    for shards in [16, 32, 64] {
      let partition = Partition(shards: shards, ranks: ranks)
      var count = 1
      while ranks * count <= shards {
        for rank in 0..<ranks {
          let plan = AccumulationPlan(partition, rank: rank, passes: count)
          let run = partition.shards(of: rank)
          #expect(plan.passes.flatMap(\.shards) == Array(0..<run.count))
          #expect(plan.passes.count >= count)
          #expect(
            sums(plan, first: run.lowerBound) == run.subtrees.map(AccumulationPlanTests.tree))
          #expect(plan.planes <= AccumulationPlan.planes(partition, passes: count))
        }
        count *= 2
      }
    }
  }

  @Test(
    "on a power of two of ranks, a plane more for each doubling of passes", arguments: [1, 2, 4])
  func planes(ranks: Int) {
    let partition = Partition(shards: 64, ranks: ranks)
    for doublings in 0...4 {
      #expect(AccumulationPlan.planes(partition, passes: 1 << doublings) == doublings + 1)
      let plan = AccumulationPlan(partition, rank: 0, passes: 1 << doublings)
      #expect(plan.passes.count == 1 << doublings)
    }
  }

  @Test("the picture in the documentation is true")
  func picture() {
    let plan = AccumulationPlan(Partition(shards: 8, ranks: 1), rank: 0, passes: 4)
    #expect(
      plan.passes == [
        .init(shards: 0..<2, plane: 0, merges: 0), .init(shards: 2..<4, plane: 1, merges: 1),
        .init(shards: 4..<6, plane: 1, merges: 0), .init(shards: 6..<8, plane: 2, merges: 2),
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
