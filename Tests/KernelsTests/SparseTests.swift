import Testing

@testable import Kernels

/// Sparse products and embeddings: exact on small integers, whose sums no order rounds; and to the
/// last bit on others, in the order that is promised.
struct SparseTests {
  /// Rows of elements, by value.
  struct Rows {
    var columns: Int
    var starts: [Int] = [0]
    var indices: [Int32] = []
    var values: [Float] = []

    /// `rows` rows of 0...most elements, in no order of columns, the same one perhaps twice.
    init(
      rows: Int, columns: Int, most: Int, number: Int, value: (inout Draws) -> Float
    ) {
      self.columns = columns
      var draws = Draws(number)
      for _ in 0..<rows {
        for _ in 0..<draws.next(in: 0...most) {
          indices.append(Int32(draws.next(in: 0...columns - 1)))
          values.append(value(&draws))
        }
        starts.append(indices.count)
      }
    }

    /// The part's rows, whose elements do not begin at 0.
    func read<Result>(_ range: Range<Int>? = nil, _ body: (SparseMatrix) -> Result) -> Result {
      let range = range ?? 0..<starts.count - 1
      return starts.withUnsafeBufferPointer { starts in
        indices.withUnsafeBufferPointer { indices in
          values.withUnsafeBufferPointer { values in
            body(
              SparseMatrix(
                rows: range.count, columns: columns,
                rowStarts: starts.baseAddress! + range.lowerBound,
                columnIndices: indices.baseAddress!, values: values.baseAddress!))
          }
        }
      }
    }

    var dense: Grid {
      var grid = Grid(
        rows: starts.count - 1, columns: columns,
        [Float](repeating: 0, count: (starts.count - 1) * columns))
      for i in 0..<starts.count - 1 {
        for k in starts[i]..<starts[i + 1] {
          grid.values[i * columns + Int(indices[k])] += values[k]
        }
      }
      return grid
    }
  }

  @Test("the product of the transpose takes no memory beyond what was reserved")
  func reserved() {
    let kernels = KernelSet(.baseline)
    let shards = ShardRows(first: 0, ends: [2, 4, 9])
    func product(most: Int, _ number: Int) -> Int {
      let x = Rows(rows: 9, columns: 31, most: most, number: number) { Float($0.next(in: 1...3)) }
      let dy = integers(rows: 9, columns: 5, number)
      _ = dy.read { dy in
        x.read { x in
          Grid(rows: 31, columns: 5) {
            kernels.productOfTranspose(x, dy, over: shards, into: $0)
          }
        }
      }
      return x.values.count
    }
    func places() -> [UnsafeRawPointer] {
      [
        UnsafeRawPointer(kernels.indices.reserve(0)),
        UnsafeRawPointer(kernels.packedLeft.reserve(0)),
        UnsafeRawPointer(kernels.partialSums.reserve(0)),
      ]
    }
    kernels.reserve(.sparseTranspose(elements: 9 * 12, columns: 31, outputs: 0, shards: 1))
    #expect(product(most: 1, 1) < 10)
    let before = places()
    #expect(product(most: 12, 2) > 30)
    #expect(places() == before)
  }

  private func integers(rows: Int, columns: Int, _ number: Int) -> Grid {
    var draws = Draws(number)
    return Grid(
      rows: rows, columns: columns,
      (0..<rows * columns).map { _ in Float(draws.next(in: -8...8)) })
  }

  private func product(_ x: Rows, _ w: Grid, _ kernels: KernelSet) -> Grid {
    x.read { x in
      w.read { w in Grid(rows: x.rows, columns: w.columns) { kernels.product(x, w, into: $0) } }
    }
  }

  private func transposed(
    _ x: Rows, _ part: Range<Int>, _ dy: Grid, over shards: ShardRows, _ kernels: KernelSet
  ) -> Grid {
    x.read(part) { x in
      dy.part(part).read { dy in
        Grid(rows: x.columns, columns: dy.columns) {
          kernels.productOfTranspose(x, dy, over: shards, into: $0)
        }
      }
    }
  }

  @Test("products are those of the dense matrix", arguments: InstructionSet.supported, sizes)
  func products(instructions: InstructionSet, width: Int) {
    let kernels = KernelSet(instructions)
    for (rows, columns, most) in [(0, 3, 2), (1, 1, 1), (7, 13, 5), (33, 5, 9), (61, 257, 40)] {
      let x = Rows(rows: rows, columns: columns, most: most, number: rows) {
        Float($0.next(in: -8...8))
      }
      let w = integers(rows: columns, columns: width, 2)
      #expect(product(x, w, kernels) == kernels.product(x.dense, w))
      let dy = integers(rows: rows, columns: width, 3)
      for shards in [
        ShardRows(undivided: rows),
        ShardRows(first: 3, ends: [rows / 3, rows / 2, rows / 2, rows]),
      ] {
        #expect(
          transposed(x, 0..<rows, dy, over: shards, kernels).values
            == kernels.productOfTranspose(x.dense, dy, over: shards).values)
      }
    }
  }

  @Test("a row's elements are added in the order in which they are stored")
  func order() {
    for kernels in InstructionSet.supported.map(KernelSet.init) {
      let isFused = kernels.instructions.fusesMultiplyAdd
      let x = Rows(rows: 9, columns: 31, most: 60, number: 1) {
        Float($0.next(in: -4000...4000)) / 256
      }
      for width in [1, 5, 16, 33, 70, 130] {
        let w = Grid(rows: 31, columns: width, cancelling: 1)
        let y = product(x, w, kernels)
        let expected = (0..<9 * width).map { k -> Float in
          (x.starts[k / width]..<x.starts[k / width + 1]).reduce(Float(0)) { sum, e in
            let element = w.values[Int(x.indices[e]) * width + k % width]
            return isFused
              ? sum.addingProduct(x.values[e], element) : sum + x.values[e] * element
          }
        }
        #expect(difference(y.values, expected) == nil)
      }
    }
  }

  @Test(
    "1, 2, 4 and 8 ranks have the transposed product of one rank to the last bit",
    arguments: [64, 61, 8, 5, 1].map { ShardedBatch(rows: $0, shards: 8) })
  func ranks(batch: ShardedBatch) {
    for kernels in InstructionSet.supported.map(KernelSet.init) {
      // Columns with elements in all shards, in some and in none.
      let x = Rows(rows: batch.rows, columns: 40, most: 12, number: 4) {
        let column = $0.next(in: -4000...4000)
        return Float(column) / 256
      }
      let dy = Grid(rows: batch.rows, columns: 21, cancelling: 2)
      let leaves = (0..<8).map { shard in
        let rows = batch.rows(ofShard: shard)
        return transposed(x, rows, dy, over: ShardRows(undivided: rows.count), kernels)
      }
      let expected = ShardTree.sum(leaves[...])
      for ranks in [1, 2, 4, 8] {
        let sums = batch.runs(ranks: ranks).map { run in
          let (rows, shards) = batch.run(run)
          return transposed(x, rows, dy, over: shards, kernels)
        }
        #expect(ShardTree.combine(sums).bits == expected.bits, "\(ranks) ranks")
      }
    }
  }

  private func embed(_ indices: [Int32], _ table: Grid, _ kernels: KernelSet) -> Grid {
    indices.withUnsafeBufferPointer { indices in
      table.read { table in
        Grid(rows: indices.count, columns: table.columns) {
          kernels.embed(indices, in: table, into: $0)
        }
      }
    }
  }

  private func embedGradient(
    _ indices: [Int32], _ dy: Grid, rows: Int, over shards: ShardRows, _ kernels: KernelSet
  ) -> Grid {
    indices.withUnsafeBufferPointer { indices in
      dy.read { dy in
        Grid(rows: rows, columns: dy.columns) {
          kernels.embedGradient(indices, dy, over: shards, into: $0)
        }
      }
    }
  }

  @Test("embeddings are rows of the table", arguments: InstructionSet.supported, [1, 7, 16, 61])
  func embed(instructions: InstructionSet, width: Int) {
    let kernels = KernelSet(instructions)
    let table = Grid(rows: 11, columns: width, random: 1)
    let indices: [Int32] = [0, 10, 3, 3, 7]
    let y = embed(indices, table, kernels)
    for (i, index) in indices.enumerated() {
      #expect(y.part(i..<i + 1) == table.part(Int(index)..<Int(index) + 1))
    }
    #expect(embed([], table, kernels).values.isEmpty)
  }

  @Test("an embedding's gradient adds up a row's uses", arguments: InstructionSet.supported, sizes)
  func embedGradient(instructions: InstructionSet, width: Int) {
    let kernels = KernelSet(instructions)
    var draws = Draws(1)
    let indices = (0..<47).map { _ in Int32(draws.next(in: 0...20)) }
    let dy = integers(rows: 47, columns: width, 2)
    var expected = Grid(rows: 30, columns: width, [Float](repeating: 0, count: 30 * width))
    for (i, index) in indices.enumerated() {
      for j in 0..<width { expected.values[Int(index) * width + j] += dy.values[i * width + j] }
    }
    let shards = ShardRows(first: 2, ends: [11, 11, 30, 47])
    #expect(embedGradient(indices, dy, rows: 30, over: shards, kernels) == expected)
  }

  @Test("1, 2, 4 and 8 ranks have the embedding's gradient of one rank to the last bit")
  func embeddingRanks() {
    let batch = ShardedBatch(rows: 61, shards: 8)
    var draws = Draws(2)
    let indices = (0..<61).map { _ in Int32(draws.next(in: 0...12)) }
    // Negative zeros too: a sum of nothing but these is +0, as with other ranks' zeros.
    var dy = Grid(rows: 61, columns: 10, cancelling: 3)
    for i in stride(from: 0, to: dy.values.count, by: 3) { dy.values[i] = -0.0 }
    for kernels in InstructionSet.supported.map(KernelSet.init) {
      func sum(_ rows: Range<Int>, _ shards: ShardRows) -> Grid {
        embedGradient(Array(indices[rows]), dy.part(rows), rows: 14, over: shards, kernels)
      }
      let one = sum(0..<61, batch.run(0..<8).shards)
      for ranks in [2, 4, 8] {
        let sums = batch.runs(ranks: ranks).map { run in
          let (rows, shards) = batch.run(run)
          return sum(rows, shards)
        }
        #expect(ShardTree.combine(sums).bits == one.bits, "\(ranks) ranks")
      }
    }
  }

  @Test("NaN reaches the rows it is used in, and no others", arguments: InstructionSet.supported)
  func nonFinite(instructions: InstructionSet) {
    let kernels = KernelSet(instructions)
    var table = Grid(rows: 4, columns: 20, random: 1)
    table.values[2 * 20 + 17] = .nan
    let y = embed([0, 2, 3], table, kernels)
    #expect(y.values.indices.allSatisfy { y.values[$0].isNaN == ($0 == 37) })
    let gradient = embedGradient([1, 2, 1], y, rows: 4, over: ShardRows(undivided: 3), kernels)
    #expect(gradient.values.indices.allSatisfy { gradient.values[$0].isNaN == ($0 == 57) })
  }
}
