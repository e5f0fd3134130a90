import Testing

@testable import Kernels

/// What a product does to its sums before it is done is what the operation by itself does to the
/// finished product, to the last bit.
struct ProductFinishTests {
  /// One row, an operand read in place, packed panels; whole vectors and edges; two depth blocks.
  static let shapes = [
    (1, 5, 9), (1, 40, 9), (1, 64, 1030), (3, 33, 17), (7, 64, 0), (30, 41, 17), (30, 32, 5),
    (61, 7, 1030), (200, 35, 800),
  ]

  @Test("ReLU and any other activation", arguments: InstructionSet.supported, shapes)
  func activations(instructions: InstructionSet, size: (m: Int, n: Int, k: Int)) {
    let kernels = KernelSet(instructions)
    let x = Grid(rows: size.m, columns: size.k, random: 1)
    let w = Grid(rows: size.k, columns: size.n, random: 2)
    let bias = randomValues(size.n, 3)
    bias.withUnsafeBufferPointer { bias in
      let start = SumStart.bias(bias.baseAddress!)
      let y = kernels.product(x, w, from: start)
      let relu = y.values.map { ($0 < 0 ? 0 : $0).bitPattern }
      #expect(difference(kernels.product(x, w, from: start, then: .relu).bits, relu) == nil)
      let cube: ElementKernel = { count, x, y in
        for i in 0..<count { y[i] = x[i] * x[i] * x[i] }
      }
      let cubes = y.values.map { ($0 * $0 * $0).bitPattern }
      #expect(
        difference(kernels.product(x, w, from: start, then: .activation(cube)).bits, cubes) == nil)
    }
  }

  @Test("the gradient of ReLU", arguments: InstructionSet.supported, shapes)
  func reluGradient(instructions: InstructionSet, size: (m: Int, n: Int, k: Int)) {
    let kernels = KernelSet(instructions)
    let dy = Grid(rows: size.m, columns: size.k, random: 1)
    let w = Grid(rows: size.n, columns: size.k, random: 2)
    var y = Grid(rows: size.m, columns: size.n, random: 3)
    y.values[0] = 0
    if y.values.count > 1 { y.values[1] = .nan }
    let expected = zip(y.values, kernels.productWithTranspose(dy, w).values)
      .map { ($0 > 0 ? $1 : 0).bitPattern }
    y.read { y in
      #expect(
        difference(kernels.productWithTranspose(dy, w, then: .reluGradient(y)).bits, expected)
          == nil)
    }
    y.read { y in
      #expect(
        difference(kernels.product(dy, w.transposed, then: .reluGradient(y)).bits, expected)
          == nil)
    }
  }

  @Test("NaN goes through ReLU", arguments: InstructionSet.supported, [1, 3, 40])
  func nonFinite(instructions: InstructionSet, rows: Int) {
    let kernels = KernelSet(instructions)
    var x = Grid(rows: rows, columns: 2, [Float](repeating: 1, count: 2 * rows))
    x.values[0] = .nan
    let w = Grid(rows: 2, columns: 37, [Float](repeating: -1, count: 74))
    let y = kernels.product(x, w, then: .relu)
    #expect(y.part(0..<1).isAllNaN)
    #expect(y.part(1..<rows).values.allSatisfy { $0 == 0 })
  }
}
