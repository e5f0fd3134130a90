import Testing

@testable import Kernels

@Suite("NaN and infinity come through, and go nowhere else")
struct PropagationTests {
  /// Rows, inputs and outputs: every way that a product takes, with edges of tiles.
  private static let products = [
    (1, 1, 1), (1, 784, 40), (3, 97, 33), (7, 50, 31), (13, 64, 10), (61, 33, 17), (128, 300, 10),
    (128, 70, 65), (200, 37, 100), (40, 1100, 33),
  ]

  /// As many rows, cut unevenly.
  private static func shards(_ rows: Int) -> ShardRows {
    ShardRows(first: 8, ends: [rows / 3, rows / 3, rows / 2, rows])
  }

  @Test("of products", arguments: InstructionSet.supported, [1, 2])
  func products(instructions: InstructionSet, threads: Int) {
    let kernels = KernelSet(instructions, threads: threads)
    kernels.dividesLittleWork = true
    for (m, k, n) in PropagationTests.products {
      let x = Grid(rows: m, columns: k, random: 1)
      let w = Grid(rows: k, columns: n, random: 2)
      let dy = Grid(rows: m, columns: n, random: 3)
      let size = "\(m) x \(k) x \(n)"
      Propagation.check("x w of \(size)", [x, w]) { kernels.product($0[0], $0[1]).values }
      Propagation.check("x w of \(size), packed", [x, w]) { operands in
        let packed = PackedMatrix(depth: k, columns: n, for: kernels)
        operands[1].read { packed.pack($0) }
        return kernels.product(operands[0], packed).values
      }
      Propagation.check("dy w^T of \(size)", [dy, w]) {
        kernels.productWithTranspose($0[0], $0[1]).values
      }
      for shards in [ShardRows(undivided: m), PropagationTests.shards(m)] {
        Propagation.check("x^T dy of \(size), \(shards.count) shards", [x, dy]) {
          kernels.productOfTranspose($0[0], $0[1], over: shards).values
        }
        Propagation.check("sums of columns of \(size), \(shards.count) shards", [dy]) {
          kernels.sumRows($0[0], over: shards).values
        }
      }
    }
  }

  @Test("of convolutions", arguments: InstructionSet.supported)
  func convolutions(instructions: InstructionSet) {
    let kernels = KernelSet(instructions)
    for (number, test) in ConvolutionTests.cases.enumerated()
    where number % 3 == 0 || number >= 150 {
      let windows = test.windows
      let padding = windows.padding
      let isPadded = padding.top + padding.left + padding.bottom + padding.right > 0
      let reach: Propagation.Reach = isPadded ? .atLeast : .exact
      let images = test.x.rows
      Propagation.check("\(windows)", [test.x, test.w], reach: reach) {
        kernels.convolution($0[0], $0[1], windows).values
      }
      Propagation.check("\(windows), by images", [test.dy, test.w], reach: reach) {
        kernels.convolutionByImages($0[0], $0[1], windows).values
      }
      Propagation.check("\(windows), by weights", [test.x, test.dy], reach: reach) {
        kernels.convolutionByWeights(
          $0[0], $0[1], windows, over: ShardRows(first: 0, ends: [images / 2, images])
        ).values
      }
    }
  }

  @Test("of sparse products and embeddings", arguments: InstructionSet.supported)
  func sparse(instructions: InstructionSet) {
    let kernels = KernelSet(instructions)
    for (m, k, n) in [(1, 1, 1), (9, 31, 5), (40, 7, 33), (25, 300, 16)] {
      let pattern = SparseTests.Rows(rows: m, columns: k, most: 6, number: m) {
        Float($0.next(in: 1...9))
      }
      func rows(_ values: Grid) -> SparseTests.Rows {
        var rows = pattern
        rows.values = values.values
        return rows
      }
      let values = Grid(rows: 1, columns: pattern.values.count, pattern.values)
      let w = Grid(rows: k, columns: n, random: 2)
      let dy = Grid(rows: m, columns: n, random: 3)
      Propagation.check("sparse \(m) x \(k) x \(n)", [values, w]) { operands in
        rows(operands[0]).read { x in
          operands[1].read { w in
            Grid(rows: m, columns: n) { kernels.product(x, w, into: $0) }.values
          }
        }
      }
      let shards = PropagationTests.shards(m)
      Propagation.check("transpose of sparse \(m) x \(k) x \(n)", [values, dy]) { operands in
        rows(operands[0]).read { x in
          operands[1].read { dy in
            Grid(rows: k, columns: n) {
              kernels.productOfTranspose(x, dy, over: shards, into: $0)
            }.values
          }
        }
      }
      let words = (0..<m).map { Int32($0 * 5 % k) }
      words.withUnsafeBufferPointer { words in
        Propagation.check("embedding \(m) of \(k) x \(n)", [w]) { operands in
          operands[0].read { table in
            Grid(rows: m, columns: n) { kernels.embed(words, in: table, into: $0) }.values
          }
        }
        Propagation.check("embedding's gradient \(m) of \(k) x \(n)", [dy]) { operands in
          operands[0].read { dy in
            Grid(rows: k, columns: n) {
              kernels.embedGradient(words, dy, over: shards, into: $0)
            }.values
          }
        }
      }
    }
  }

  @Test("of normalization", arguments: InstructionSet.supported)
  func normalization(instructions: InstructionSet) {
    let kernels = KernelSet(instructions)
    for (m, n) in [(1, 2), (3, 33), (33, 3), (9, 16), (70, 17)] {
      let x = Grid(rows: m, columns: n, random: 1)
      let dy = Grid(rows: m, columns: n, random: 2)
      let ofRows = (0..<2).map { Grid(rows: 1, columns: m, random: 3 + $0) }
      let ofColumns = (0..<5).map { Grid(rows: 1, columns: n, random: 5 + $0) }
      let shards = PropagationTests.shards(m)
      /// All operands as matrices, and one row or as many rows as x has to write to.
      func check(
        _ name: String, _ operands: [Grid], rows: Int, infinity: Bool = true,
        _ body: ([Matrix], Matrix) -> Void
      ) {
        Propagation.check("\(name), \(m) x \(n)", operands, infinity: infinity) { operands in
          Grid(rows: rows, columns: n) { result in
            func read(_ number: Int, _ matrices: [Matrix]) {
              guard number < operands.count else { return body(matrices, result) }
              operands[number].read { read(number + 1, matrices + [$0]) }
            }
            read(0, [])
          }.values
        }
      }
      check("rows", [x] + ofColumns[..<2], rows: m, infinity: false) { o, y in
        var (means, scales) = ([Float](repeating: 0, count: m), [Float](repeating: 0, count: m))
        kernels.normalizeRows(
          o[0], epsilon: 1e-5, gain: o[1].base, bias: o[2].base, into: y, means: &means,
          scales: &scales)
      }
      check("gradient of rows", [x, dy] + ofRows + ofColumns[..<1], rows: m) { o, dx in
        kernels.normalizeRowsGradient(
          o[0], o[1], means: o[2].base, scales: o[3].base, gain: o[4].base, into: dx)
      }
      check("products of rows", [x, dy] + ofRows, rows: 1) { o, sums in
        kernels.sumRowProducts(
          o[0], o[1], means: o[2].base, scales: o[3].base, over: shards, into: sums.base)
      }
      check("squares of columns", [x] + ofColumns[..<1], rows: 1) { o, sums in
        kernels.sumColumnSquares(o[0], means: o[1].base, over: shards, into: sums.base)
      }
      check("columns", [x] + ofColumns[..<4], rows: m) { o, y in
        kernels.normalizeColumns(
          o[0], means: o[1].base, scales: o[2].base, gain: o[3].base, bias: o[4].base, into: y)
      }
      check("gradient of columns", [x, dy] + ofColumns, rows: m) { o, dx in
        kernels.normalizeColumnsGradient(
          o[0], o[1], means: o[2].base, scales: o[3].base, gain: o[4].base, dgain: o[5].base,
          dbias: o[6].base, count: 100, into: dx)
      }
      check("products of columns", [x, dy] + ofColumns[..<2], rows: 1) { o, sums in
        kernels.sumColumnProducts(
          o[0], o[1], means: o[2].base, scales: o[3].base, over: shards, into: sums.base)
      }
    }
  }

  @Test("of average pooling", arguments: InstructionSet.supported)
  func averages(instructions: InstructionSet) {
    let kernels = KernelSet(instructions)
    for (number, windows) in ImageWindows.random(60, number: 71).enumerated() {
      let x = Grid(rows: 3, columns: windows.imageSize, random: number)
      let size = windows.count * windows.channels
      let dy = Grid(rows: 3, columns: size, random: number + 1)
      Propagation.check("\(windows)", [x]) { operands in
        operands[0].read { x in
          Grid(rows: 3, columns: size) { kernels.averagePool(x, windows, into: $0) }.values
        }
      }
      Propagation.check("\(windows), gradient", [dy]) { operands in
        operands[0].read { dy in
          Grid(rows: 3, columns: windows.imageSize) {
            kernels.averagePoolGradient(dy, windows, into: $0)
          }.values
        }
      }
    }
  }

  /// Infinite gradients are cut to the limit.
  @Test("of optimizers: NaN", arguments: InstructionSet.supported, OptimizerUpdate.allCases)
  func optimizers(instructions: InstructionSet, update: OptimizerUpdate) {
    let kernels = KernelSet(instructions)
    for count in [1, 7, 16, 33, 67] {
      let (gradients, start) = OptimizerUpdate.operands(count)
      let operands = [gradients, start.parameters, start.a, start.b, start.c].map {
        Grid(rows: 1, columns: count, $0)
      }
      Propagation.check("\(update), \(count)", operands, infinity: false) {
        let result = update.run(
          kernels, $0[0].values,
          .init(
            parameters: $0[1].values, a: $0[2].values, b: $0[3].values, c: $0[4].values))
        return result.parameters + result.a + result.b + result.c + result.sums.map(Float.init)
      }
    }
  }
}
