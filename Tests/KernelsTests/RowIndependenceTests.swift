import Testing

@testable import Kernels

/// A row's result depends on that row only, to the last bit: a sample's activations are the same
/// whatever rank it is on and whatever shares the batch with it.
struct RowIndependenceTests {
  /// Starts and counts that put a row at every place of a tile, at its edge, and in a batch of one.
  private func parts(of rows: Int, tile: Int) -> [Range<Int>] {
    var all = (0..<rows).map { $0..<$0 + 1 }
    for start in 0...tile {
      for count in [tile - 1, tile, tile + 1, 2 * tile + 1] where start + count <= rows {
        all.append(start..<start + count)
      }
    }
    return all
  }

  // Depths below, at and above one depth block; columns of whole tiles and with an edge.
  static let extents = [(16, 32), (37, 29), (256, 33), (257, 64), (1030, 45)]

  @Test(
    "a row of a product has the same bits in any batch", arguments: InstructionSet.supported,
    extents)
  func products(instructions: InstructionSet, extents: (depth: Int, columns: Int)) {
    let kernels = KernelSet(instructions)
    let tile = kernels.table.products.tileRows
    let rows = 3 * tile + 2
    let x = Grid(rows: rows, columns: extents.depth, random: 1)
    let w = Grid(rows: extents.depth, columns: extents.columns, random: 2)
    let transposed = Grid(rows: extents.columns, columns: extents.depth, random: 3)
    let y = kernels.product(x, w)
    let z = kernels.productWithTranspose(x, transposed)
    for part in parts(of: rows, tile: tile) {
      #expect(kernels.product(x.part(part), w).bits == y.part(part).bits, "\(part)")
      #expect(
        kernels.productWithTranspose(x.part(part), transposed).bits == z.part(part).bits,
        "\(part)")
    }
  }

  @Test(
    "a row has the same bits beyond the first packed block", arguments: InstructionSet.supported)
  func pastOneBlock(instructions: InstructionSet) {
    let kernels = KernelSet(instructions)
    let x = Grid(rows: 1100, columns: 300, random: 4)
    let w = Grid(rows: 300, columns: 5, random: 5)
    let y = kernels.product(x, w)
    for part in [0..<1, 509..<515, 700..<1100, 1099..<1100] {
      #expect(kernels.product(x.part(part), w).bits == y.part(part).bits, "\(part)")
    }
  }

  @Test(
    "a row of softmax, cross-entropy and squared error has the same bits in any batch",
    arguments: InstructionSet.supported, [1, 10, 17, 33])
  func losses(instructions: InstructionSet, columns: Int) {
    let kernels = KernelSet(instructions)
    let x = Grid(rows: 7, columns: columns, random: 6)
    let labels = (0..<7).map { Int32($0 % columns) }
    let targets = Grid(rows: 7, columns: columns, random: 7)
    func all(_ part: Range<Int>) -> [[UInt32]] {
      let x = x.part(part)
      let softmax = x.read { x in
        Grid(rows: x.rows, columns: columns) { kernels.softmax(x, into: $0) }
      }
      let entropy = kernels.softmaxCrossEntropy(x, labels: Array(labels[part]))
      let error = kernels.squaredError(x, targets: targets.part(part))
      return [softmax, entropy.losses, entropy.gradient, error.losses, error.gradient].map(\.bits)
    }
    let whole = all(0..<7)
    for row in 0..<7 {
      for (one, results) in zip(all(row..<row + 1), whole) {
        let width = results.count / 7
        #expect(one == Array(results[row * width..<(row + 1) * width]))
      }
    }
  }
}
