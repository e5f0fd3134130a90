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

  /// What adds up rows: each sum's width, and how it is written to planes.
  private struct PlaneSum: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var width: Int
    var write:
      @Sendable (
        _ kernels: KernelSet, _ x: Matrix, _ dy: Matrix, _ shards: ShardRows,
        _ sums: UnsafeMutablePointer<Float>
      ) -> Void
  }

  /// Of x with 4 columns, and dy with 5.
  private static let planeSums: [PlaneSum] = [
    PlaneSum(testDescription: "sum", width: 1) { kernels, _, dy, shards, sums in
      kernels.sum((0..<dy.rows).map { dy.row($0).pointee }, over: shards, into: sums)
    },
    PlaneSum(testDescription: "sumRows", width: 5) { $0.sumRows($2, over: $3, into: $4) },
    PlaneSum(testDescription: "sumColumnSquares", width: 5) {
      $0.sumColumnSquares($2, means: [1, 2, 3, 4, 5], over: $3, into: $4)
    },
    PlaneSum(testDescription: "sumColumnProducts", width: 5) {
      let ones: [Float] = [1, 1, 1, 1, 1]
      $0.sumColumnProducts($2, $2, means: [1, 2, 3, 4, 5], scales: ones, over: $3, into: $4)
    },
    PlaneSum(testDescription: "sumRowProducts", width: 5) {
      let rows = [Float](repeating: 0.5, count: $2.rows + 1)
      $0.sumRowProducts($2, $2, means: rows, scales: rows, over: $3, into: $4)
    },
    PlaneSum(testDescription: "productOfTranspose", width: 20) {
      $0.productOfTranspose($1, $2, over: $3, into: Matrix($4, rows: 4, columns: 5))
    },
    PlaneSum(testDescription: "embedGradient", width: 15) { kernels, _, dy, shards, sums in
      let words = (0..<dy.rows).map { Int32(dy.row($0).pointee.bitPattern % 3) }
      words.withUnsafeBufferPointer {
        kernels.embedGradient(
          $0, dy, over: shards, into: Matrix(sums, rows: 3, columns: 5))
      }
    },
    PlaneSum(testDescription: "sparse productOfTranspose", width: 15) {
      kernels, x, dy, shards, sums in
      let starts = (0...x.rows).map { 4 * $0 }
      let columns = x.elements.map { Int32($0.bitPattern % 3) }
      starts.withUnsafeBufferPointer { starts in
        columns.withUnsafeBufferPointer { columns in
          kernels.productOfTranspose(
            SparseMatrix(
              rows: dy.rows, columns: 3, rowStarts: starts.baseAddress!,
              columnIndices: columns.baseAddress!, values: x.base),
            dy, over: shards, into: Matrix(sums, rows: 3, columns: 5))
        }
      }
    },
    PlaneSum(testDescription: "convolutionGradient", width: 20) {
      let windows = ImageWindows(
        height: 2, width: 2, channels: 1, kernelHeight: 2, kernelWidth: 2)
      $0.convolutionGradient(
        byWeightsOf: $1, $2, windows, over: $3, into: Matrix($4, rows: 4, columns: 5))
    },
  ]

  @Test(
    "a sum over any run of shards fills a plane for each complete subtree, and nothing else",
    arguments: planeSums)
  private func planes(sum: PlaneSum) {
    let kernels = KernelSet(InstructionSet.supported.last!)
    let x = Grid(rows: 12, columns: 4, cancelling: 3)
    let dy = Grid(rows: 12, columns: 5, cancelling: 4)
    // Shards of one row and of two.
    let batch = ShardedBatch(rows: 12, shards: 8)
    func sums(_ run: Range<Int>, planes: SumPlanes?, count: Int) -> [Float] {
      var (rows, shards) = batch.run(run)
      shards.planes = planes
      return Grid(rows: 1, columns: count) { result in
        result.elements.update(repeating: 77)
        x.part(rows).read { x in
          dy.part(rows).read { dy in sum.write(kernels, x, dy, shards, result.base) }
        }
      }.values
    }
    let stride = sum.width + 3
    for first in 0..<8 {
      for end in first + 1...8 {
        let subtrees = (first..<end).subtrees
        var expected = [Float](repeating: 77, count: 2 + (subtrees.count + 1) * stride)
        for (plane, subtree) in subtrees.enumerated() {
          let values = sums(subtree, planes: nil, count: sum.width)
          expected.replaceSubrange(
            2 + plane * stride..<2 + plane * stride + sum.width, with: values)
        }
        let result = sums(
          first..<end, planes: SumPlanes(offset: 2, stride: stride), count: expected.count)
        #expect(
          difference(result.map(\.bitPattern), expected.map(\.bitPattern)) == nil,
          "shards \(first..<end)")
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
