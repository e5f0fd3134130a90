import Testing

@testable import Kernels

/// Sums over shards have the same bits on any number of ranks: they follow one balanced binary
/// tree.
struct ShardSumTests {
  /// Whole batches, uneven shards, shards without rows, and a single row.
  static let batches = [64, 61, 8, 5, 1].map { ShardedBatch(rows: $0, shards: 8) }

  /// The three sums over rows, each from rows of two operands to one grid.
  enum Sum: CaseIterable {
    case sum, sumRows, productOfTranspose

    func callAsFunction(
      _ x: Grid, _ dy: Grid, over shards: ShardRows, kernels: KernelSet
    ) -> Grid {
      switch self {
      case .sum:
        let losses = (0..<dy.rows).map { dy.values[$0 * dy.columns] }
        return Grid(rows: 1, columns: 1, [kernels.sum(losses, over: shards)])
      case .sumRows: return kernels.sumRows(dy, over: shards)
      case .productOfTranspose: return kernels.productOfTranspose(x, dy, over: shards)
      }
    }
  }

  @Test(
    "1, 2, 4 and 8 ranks have the sum of one rank to the last bit",
    arguments: Sum.allCases, batches)
  func ranks(sum: Sum, batch: ShardedBatch) {
    for instructions in InstructionSet.supported {
      let kernels = KernelSet(instructions)
      let x = Grid(rows: batch.rows, columns: 19, cancelling: 1)
      let dy = Grid(rows: batch.rows, columns: 37, cancelling: 2)
      // The oracle: every shard by itself, then the tree.
      let leaves = (0..<8).map { shard in
        let part = batch.rows(ofShard: shard)
        return sum(
          x.part(part), dy.part(part), over: ShardRows(undivided: part.count), kernels: kernels)
      }
      let expected = ShardTree.sum(leaves[...])
      for ranks in [1, 2, 4, 8] {
        let sums = batch.runs(ranks: ranks).map { run in
          let (rows, shards) = batch.run(run)
          return sum(x.part(rows), dy.part(rows), over: shards, kernels: kernels)
        }
        #expect(
          ShardTree.combine(sums).bits == expected.bits, "\(ranks) ranks, \(instructions)")
      }
    }
  }

  @Test("the data of these tests sums to other bits in another order")
  func orderMatters() {
    let kernels = KernelSet(.baseline)
    let batch = ShardedBatch(rows: 64, shards: 8)
    let dy = Grid(rows: batch.rows, columns: 37, cancelling: 2)
    let tree = kernels.sumRows(dy, over: batch.run(0..<8).shards)
    // Straight through all rows; and the shards' sums from left to right.
    let straight = kernels.sumRows(dy, over: ShardRows(undivided: batch.rows))
    let leaves = (0..<8).map { shard in
      let part = batch.rows(ofShard: shard)
      return kernels.sumRows(dy.part(part), over: ShardRows(undivided: part.count))
    }
    let leftToRight = leaves.dropFirst().reduce(leaves[0], +)
    for other in [straight, leftToRight] {
      let different = zip(other.bits, tree.bits).count { $0 != $1 }
      #expect(different > 37 / 3)
    }
  }

  @Test("a shard's rows are added from the first to the last")
  func leafOrder() {
    let kernels = KernelSet(.baseline)
    let x = Grid(rows: 11, columns: 3, cancelling: 3)
    let expected = (1..<11).reduce(x.part(0..<1)) { $0 + x.part($1..<$1 + 1) }
    #expect(kernels.sumRows(x, over: ShardRows(undivided: 11)).bits == expected.bits)
    let column = Grid(rows: 11, columns: 1, (0..<11).map { x.values[$0 * 3] })
    #expect(
      kernels.sum(column.values, over: ShardRows(undivided: 11)).bitPattern == expected.bits[0])
  }

  @Test(
    "any run of shards adds its aligned subtrees, then these from the right to the left",
    arguments: Sum.allCases)
  func runs(sum: Sum) {
    let kernels = KernelSet(.baseline)
    let x = Grid(rows: 16, columns: 2, cancelling: 3)
    let dy = Grid(rows: 16, columns: 5, cancelling: 4)
    let leaves = (0..<16).map {
      sum(
        x.part($0..<$0 + 1), dy.part($0..<$0 + 1), over: ShardRows(undivided: 1),
        kernels: kernels)
    }
    for first in 0..<16 {
      for end in first + 1...16 {
        let run = first..<end
        let result = sum(
          x.part(run), dy.part(run), over: ShardRows(first: first, ends: Array(1...run.count)),
          kernels: kernels)
        let expected = ShardTree.sum(run: Array(leaves[run]), first: first)
        #expect(result.bits == expected.bits, "shards \(run)")
      }
    }
  }

  @Test("a deep tree of shards is the same on any power of two of ranks", arguments: [64, 1024])
  func manyShards(shards: Int) {
    let kernels = KernelSet(.baseline)
    let batch = ShardedBatch(rows: 3 * shards / 2, shards: shards)
    let x = Grid(rows: batch.rows, columns: 1, cancelling: 5)
    let one = kernels.sum(x.values, over: batch.run(0..<shards).shards)
    for ranks in [2, 8, 32] {
      let sums = batch.runs(ranks: ranks).map { run in
        let (rows, shards) = batch.run(run)
        return Grid(
          rows: 1, columns: 1, [kernels.sum(x.part(rows).values, over: shards)])
      }
      #expect(ShardTree.combine(sums).bits == [one.bitPattern], "\(ranks) ranks")
    }
  }

  @Test("shards without rows give zero")
  func emptyBatch() {
    let kernels = KernelSet(.baseline)
    let shards = ShardRows(first: 2, ends: [0, 0, 0])
    #expect(kernels.sum([], over: shards) == 0)
    let none = Grid(rows: 0, columns: 3, [])
    #expect(kernels.sumRows(none, over: shards).values == [0, 0, 0])
    #expect(
      kernels.productOfTranspose(none, none, over: shards).values
        == [Float](repeating: 0, count: 9))
  }

  @Test("ShardRows gives each shard its rows")
  func shardRows() {
    let shards = ShardRows(first: 3, ends: [2, 2, 7])
    #expect(shards.count == 3 && shards.rows == 7)
    #expect((0..<3).map(shards.rows(of:)) == [0..<2, 2..<2, 2..<7])
    #expect(ShardRows(undivided: 4) == ShardRows(first: 0, ends: [4]))
    #expect(ShardRows(first: 0, ends: []).rows == 0)
    #expect(shards.part(1..<3) == ShardRows(first: 4, ends: [0, 5]))
    #expect(shards.part(0..<3) == shards)
  }
}
