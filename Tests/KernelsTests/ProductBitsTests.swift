import Testing

@testable import Kernels

/// An element of a product is one chain of multiply-adds, from its start on, in the order of the
/// depth. That is its oracle here, to the last bit, whatever path the shape takes.
struct ProductBitsTests {
  struct Dimensions: CustomStringConvertible {
    var m, n, k: Int
    var description: String { "\(m) x \(n) over \(k)" }
  }

  /// One chain: fused in kernel sets that have the instruction, else not.
  static func chain(
    _ instructions: InstructionSet, from start: Float, _ depth: Int,
    _ term: (Int) -> (Float, Float)
  ) -> Float {
    let isFused = instructions.fusesMultiplyAdd
    var sum = start
    var d = 0
    while d < depth {
      let (a, b) = term(d)
      sum = isFused ? sum.addingProduct(a, b) : sum + a * b
      d += 1
    }
    return sum
  }

  /// The bits of start + x w by the definition.
  static func bits(
    _ instructions: InstructionSet, _ x: Grid, _ w: Grid, from start: (Int, Int) -> Float
  ) -> [UInt32] {
    x.values.withUnsafeBufferPointer { a in
      w.values.withUnsafeBufferPointer { b in
        (0..<x.rows * w.columns).map { element in
          let (i, j) = (element / w.columns, element % w.columns)
          return chain(instructions, from: start(i, j), x.columns) {
            (a[i * x.columns + $0], b[$0 * w.columns + j])
          }.bitPattern
        }
      }
    }
  }

  /// Rows that take the path of one row, of an operand read in place, of packed panels, and of
  /// several blocks; columns with and without whole vectors; depths in one block and in two.
  private func shapes(_ kernels: KernelSet) -> [Dimensions] {
    let (rows, columns) = (kernels.table.products.tileRows, kernels.table.products.tileColumns)
    var all: [Dimensions] = []
    for m in [1, 2, 3, 5, rows, rows + 1, 2 * rows, 2 * rows + 1, 37] {
      for n in [1, 2, columns / 2 - 1, columns / 2, columns / 2 + 1, columns, 2 * columns + 3] {
        for k in [0, 1, 7, 8, 9, 33] { all.append(Dimensions(m: m, n: n, k: k)) }
      }
    }
    all += [
      Dimensions(m: 1, n: 35, k: 1100), Dimensions(m: rows, n: 35, k: 1100),
      Dimensions(m: 40, n: 35, k: 1100), Dimensions(m: 150, n: 3, k: 1030),
      Dimensions(m: 1, n: 2100, k: 17), Dimensions(m: 3, n: 1100, k: 11),
      // A transposed left operand that is copied, in one block of rows and in two.
      Dimensions(m: 256, n: 33, k: 130), Dimensions(m: 512, n: 3, k: 600),
      // A left operand that is spread without AVX: in blocks of rows, of columns and of the depth, and
      // in one.
      Dimensions(m: 170, n: 330, k: 1030), Dimensions(m: 11, n: 66, k: 1030),
    ]
    var draws = Draws(3)
    all += (0..<100).map { _ in
      Dimensions(
        m: draws.next(in: 1...60), n: draws.next(in: 1...90), k: draws.next(in: 1...70))
    }
    return all
  }

  @Test(
    "every element is one chain of multiply-adds in the order of the depth",
    arguments: InstructionSet.supported)
  func chains(instructions: InstructionSet) {
    let kernels = KernelSet(instructions)
    for (number, size) in shapes(kernels).enumerated() {
      let x = Grid(rows: size.m, columns: size.k, random: 2 * number)
      let w = Grid(rows: size.k, columns: size.n, random: 2 * number + 1)
      let expected = Self.bits(instructions, x, w) { _, _ in 0 }
      #expect(difference(kernels.product(x, w).bits, expected) == nil, "\(size)")
      #expect(
        difference(kernels.productWithTranspose(x, w.transposed).bits, expected) == nil,
        "\(size), right operand transposed")
      #expect(
        difference(
          kernels.productOfTranspose(
            x.transposed, w, over: ShardRows(undivided: size.k)
          ).bits, expected) == nil, "\(size), left operand transposed")
      let packed = PackedMatrix(depth: size.k, columns: size.n, for: kernels)
      w.read { packed.pack($0) }
      #expect(difference(kernels.product(x, packed).bits, expected) == nil, "\(size), packed")
      w.transposed.read { packed.packTranspose($0) }
      #expect(
        difference(kernels.product(x, packed).bits, expected) == nil,
        "\(size), packed from the transpose")
      #expect(
        difference(kernels.product(source: x, packed).bits, expected) == nil,
        "\(size), the left operand written block by block")
    }
  }

  @Test(
    "a chain starts from the bias or from what is there", arguments: InstructionSet.supported)
  func starts(instructions: InstructionSet) {
    let kernels = KernelSet(instructions)
    for (number, size) in shapes(kernels).enumerated() where number % 3 == 0 {
      let x = Grid(rows: size.m, columns: size.k, random: 2 * number)
      let w = Grid(rows: size.k, columns: size.n, random: 2 * number + 1)
      let bias = randomValues(size.n, number)
      let old = Grid(rows: size.m, columns: size.n, random: number + 1000)
      let withBias = Self.bits(instructions, x, w) { bias[$1] }
      let added = Self.bits(instructions, x, w) { old.values[$0 * size.n + $1] }
      bias.withUnsafeBufferPointer { bias in
        #expect(
          difference(kernels.product(x, w, from: .bias(bias.baseAddress!)).bits, withBias) == nil,
          "\(size)")
        #expect(
          difference(
            kernels.productWithTranspose(x, w.transposed, from: .bias(bias.baseAddress!)).bits,
            withBias) == nil, "\(size)")
      }
      #expect(
        difference(kernels.product(x, w, from: .result, over: old).bits, added) == nil, "\(size)")
      #expect(
        difference(
          kernels.productWithTranspose(x, w.transposed, from: .result, over: old).bits, added)
          == nil, "\(size)")
    }
  }

  @Test(
    "sums of shards are added along the tree, then to what is there",
    arguments: InstructionSet.supported)
  func shardTree(instructions: InstructionSet) {
    let kernels = KernelSet(instructions)
    var draws = Draws(5)
    for number in 0..<60 {
      // Few columns are summed as the transpose.
      let isNarrow = number % 3 == 0
      // A left operand that is spread without AVX, in blocks of rows.
      let isLarge = number % 10 == 1
      let m = draws.next(in: isNarrow ? 32...600 : isLarge ? 1400...1500 : 1...40)
      let n = draws.next(in: isNarrow ? 1...20 : isLarge ? 64...90 : 1...70)
      let (first, count) = (draws.next(in: 0...5), draws.next(in: 1...9))
      let cuts = (0..<count).map { _ in draws.next(in: 0...50) }.sorted()
      let shards = ShardRows(first: first, ends: cuts)
      let x = Grid(rows: shards.rows, columns: m, random: 2 * number)
      let dy = Grid(rows: shards.rows, columns: n, random: 2 * number + 1)
      let leaves = (0..<count).map {
        let rows = shards.rows(of: $0)
        return kernels.productOfTranspose(
          x.part(rows), dy.part(rows), over: ShardRows(undivided: rows.count))
      }
      let sum = ShardTree.sum(run: leaves, first: first)
      #expect(
        difference(kernels.productOfTranspose(x, dy, over: shards).bits, sum.bits) == nil,
        "\(m) x \(n), \(shards)")
      let old = Grid(rows: m, columns: n, random: number + 500)
      let result = x.read { x in
        dy.read { dy in
          Grid(rows: m, columns: n) {
            $0.fill(old)
            kernels.productOfTranspose(x, dy, over: shards, into: $0, accumulate: true)
          }
        }
      }
      #expect(difference(result.bits, (old + sum).bits) == nil, "\(m) x \(n), \(shards)")
    }
  }

  @Test("AVX2 and AVX-512 give the same bits", .enabled(if: InstructionSet.avx512.isSupported))
  func sameBits() {
    let (a, b) = (KernelSet(.avx2), KernelSet(.avx512))
    let x = Grid(rows: 61, columns: 1037, random: 1)
    let w = Grid(rows: 1037, columns: 83, random: 2)
    #expect(difference(a.product(x, w).bits, b.product(x, w).bits) == nil)
    let shards = ShardRows(first: 0, ends: [7, 20, 61])
    #expect(
      difference(
        a.productOfTranspose(x, a.product(x, w), over: shards).bits,
        b.productOfTranspose(x, b.product(x, w), over: shards).bits) == nil)
  }
}
