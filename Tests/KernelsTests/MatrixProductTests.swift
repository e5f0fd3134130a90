import Testing

@testable import Kernels

/// The three products against their definition in Double.
///
/// A term a b is rounded once when multiplied, and once more in every addition that it goes
/// through: at most depth of them in a chain, and log2(shards) in the tree. So |error| <= (k + log2 shards + c) u sum |a||b| with u = 2^-24; c = 3
/// covers the multiplication and the terms in u^2, which are below one u for depths below 4,096
/// (Higham, "Accuracy and Stability of Numerical Algorithms", section 3.1).
struct MatrixProductTests {
  struct Dimensions: CustomStringConvertible {
    var m, n, k: Int
    var description: String { "\(m) x \(n) over \(k)" }
  }

  static let slack = 3

  /// Sizes around the register tile, primes, and depths beyond one block.
  private func edges(_ kernels: KernelSet) -> [Dimensions] {
    let (rows, columns) = (kernels.table.products.tileRows, kernels.table.products.tileColumns)
    var all: [Dimensions] = []
    for m in [0, 1, rows - 1, rows, rows + 1, 29] {
      for n in [0, 1, columns - 1, columns, columns + 1, 41] {
        for k in [0, 1, 2, 15, 16, 17] { all.append(Dimensions(m: m, n: n, k: k)) }
      }
    }
    for k in [255, 256, 257, 1023, 1024, 1025, 2051] {
      all.append(Dimensions(m: rows + 1, n: columns + 3, k: k))
    }
    // Past one packed block of the left operand, and of the right one.
    all.append(Dimensions(m: 531, n: 3, k: 300))
    all.append(Dimensions(m: 2, n: 2081, k: 270))
    // Several blocks of rows and of the depth, of some panels and a part of one.
    all.append(Dimensions(m: 217, n: 2 * columns + 5, k: 1031))
    return all
  }

  private func random() -> [Dimensions] {
    var draws = Draws(1)
    return (0..<100).map { _ in
      Dimensions(
        m: draws.next(in: 1...48), n: draws.next(in: 1...80),
        k: draws.next(in: 1...18) * draws.next(in: 1...18))
    }
  }

  @Test(
    "x w is the sum over the depth, for edges of the tile and any shape",
    arguments: InstructionSet.supported)
  func product(instructions: InstructionSet) {
    let kernels = KernelSet(instructions)
    for (number, size) in (edges(kernels) + random()).enumerated() {
      let x = Grid(rows: size.m, columns: size.k, random: 2 * number)
      let w = Grid(rows: size.k, columns: size.n, random: 2 * number + 1)
      let exact = ExactProduct(
        x.values, (size.k, 1), w.values, (size.n, 1), rows: size.m, columns: size.n, depth: size.k)
      let wrong = exact.mismatches(
        kernels.product(x, w), roundings: size.k + MatrixProductTests.slack)
      #expect(wrong == 0, "\(size)")
    }
  }

  @Test(
    "dy w^T is the sum over the depth, for edges of the tile and any shape",
    arguments: InstructionSet.supported)
  func productWithTranspose(instructions: InstructionSet) {
    let kernels = KernelSet(instructions)
    for (number, size) in (edges(kernels) + random()).enumerated() {
      let dy = Grid(rows: size.m, columns: size.k, random: 2 * number)
      let w = Grid(rows: size.n, columns: size.k, random: 2 * number + 1)
      let exact = ExactProduct(
        dy.values, (size.k, 1), w.values, (1, size.k), rows: size.m, columns: size.n, depth: size.k)
      let wrong = exact.mismatches(
        kernels.productWithTranspose(dy, w), roundings: size.k + MatrixProductTests.slack)
      #expect(wrong == 0, "\(size)")
    }
  }

  @Test(
    "x^T dy is the sum over the rows, however they are cut into shards",
    arguments: InstructionSet.supported)
  func productOfTranspose(instructions: InstructionSet) {
    let kernels = KernelSet(instructions)
    var draws = Draws(2)
    let deep = [Dimensions(m: 450, n: 4, k: 300), Dimensions(m: 3, n: 1801, k: 300)]
    for (number, size) in (edges(kernels) + random() + deep).enumerated() {
      let x = Grid(rows: size.k, columns: size.m, random: 2 * number)
      let dy = Grid(rows: size.k, columns: size.n, random: 2 * number + 1)
      let exact = ExactProduct(
        x.values, (1, size.m), dy.values, (size.n, 1), rows: size.m, columns: size.n,
        depth: size.k)
      // Uneven cuts; shards without rows among them.
      let count = draws.next(in: 1...8)
      let cuts = (1..<count).map { _ in draws.next(in: 0...size.k) }.sorted()
      let shards = ShardRows(first: 0, ends: cuts + [size.k])
      for shards in [ShardRows(undivided: size.k), shards] {
        // An addition for each of the subtrees that an uneven number of shards leaves, too.
        let wrong = exact.mismatches(
          kernels.productOfTranspose(x, dy, over: shards),
          roundings: size.k + 2 * 3 + MatrixProductTests.slack)
        #expect(wrong == 0, "\(size), \(shards)")
      }
    }
  }

  @Test("infinity stays in its row, NaN in its column", arguments: InstructionSet.supported)
  func nonFinite(instructions: InstructionSet) {
    let kernels = KernelSet(instructions)
    let (m, n, k) = (kernels.table.products.tileRows + 2, kernels.table.products.tileColumns + 3, 9)
    var x = Grid(rows: m, columns: k, [Float](repeating: 1, count: m * k))
    var w = Grid(rows: k, columns: n, [Float](repeating: 1, count: k * n))
    x.values[(m - 1) * k + 4] = .infinity
    w.values[4 * n + n - 1] = .nan
    let y = kernels.product(x, w)
    for i in 0..<m {
      for j in 0..<n {
        let value = y.values[i * n + j]
        if j == n - 1 {
          #expect(value.isNaN)
        } else {
          #expect(value == (i == m - 1 ? .infinity : Float(k)))
        }
      }
    }
  }
}
