import Foundation
import Testing

@testable import Kernels

/// Kernels touch their operands and nothing else, at any alignment. Every operand ends, or starts,
/// at a page without access, and inputs are write-protected: a fault ends the test process.
struct BoundsTests {
  @Test("one element past the end, or one written to an input, is fatal")
  func fencesHold() async {
    await #expect(processExitsWith: .signal(SIGSEGV)) {
      Fences.with(.end) { $0.output(3)[3] = 1 }
    }
    await #expect(processExitsWith: .signal(SIGSEGV)) {
      Fences.with(.start) { $0.output(3)[-1] = 1 }
    }
    await #expect(processExitsWith: .signal(SIGSEGV)) {
      Fences.with(.end) { $0.input([Float(1)])[0] = 1 }
    }
  }

  @Test(
    "vector operations stay in bounds", arguments: InstructionSet.supported, Fences.Side.allCases)
  func vectors(instructions: InstructionSet, side: Fences.Side) {
    let table = KernelSet(instructions).table
    for count in sizes {
      Fences.with(side) { fences in
        let x = fences.input(randomValues(count, 1))
        let y = fences.output(randomValues(count, 2))
        table.add(count, x, y)
        table.scale(count, 2, y)
        table.relu(count, x, y)
        table.reluGradient(count, y, x, fences.output(count))
        table.convertBytes(
          count, fences.input([UInt8](repeating: 3, count: count)), 2, fences.output(count))
      }
    }
  }

  @Test(
    "optimizers stay in bounds, and the address does not show in the bits",
    arguments: InstructionSet.supported, Fences.Side.allCases)
  func optimizers(instructions: InstructionSet, side: Fences.Side) {
    let kernels = KernelSet(instructions)
    for count in sizes {
      for update in OptimizerUpdate.allCases {
        let expected = update.run(kernels, count: count)
        Fences.with(side) { fences in
          let result = update.run(kernels, count: count, fences)
          #expect(difference(result.bits, expected.bits) == nil, "\(update), \(count)")
        }
      }
      Fences.with(side) { fences in
        let x = randomValues(count, 1)
        let sum = kernels.table.optimizers.sumOfSquares(count, fences.input(x))
        #expect(sum == x.withUnsafeBufferPointer(kernels.sumOfSquares))
      }
    }
  }

  @Test(
    "reductions stay in bounds, at any alignment of elements",
    arguments: InstructionSet.supported, Fences.Side.allCases)
  func reductions(instructions: InstructionSet, side: Fences.Side) {
    let kernels = KernelSet(instructions)
    func check<E: ReductionElement>(_: E.Type) {
      for count in sizes {
        let (a, b) = (E.values(count, 1), E.values(count, 2))
        Fences.with(side) { fences in
          let (first, second) = (fences.input(a), fences.input(b))
          let y = fences.output(a)
          for kind in ReductionKind.allCases {
            kernels.combine(kind, E.type, count: count, first, second, into: y)
            // The address does not show in the bits.
            let result = (0..<count).map { y[$0].bits }
            #expect(difference(result, kernels.combine(kind, a, b)) == nil)
          }
          let z = fences.output(a)
          kernels.combine(.sum, E.type, count: count, first, second, into: y, and: z)
          #expect(difference((0..<count).map { z[$0].bits }, kernels.combine(.sum, a, b)) == nil)
          kernels.stream(byteCount: count * MemoryLayout<E>.stride, first, into: y)
          #expect(difference((0..<count).map { y[$0].bits }, a.map(\.bits)) == nil)
          if [y, z].allSatisfy({ Int(bitPattern: $0) % 16 == 0 }) {
            kernels.combine(
              .sum, E.type, count: count, first, second, into: y, and: z, streaming: true)
            for result in [y, z] {
              let bits = (0..<count).map { result[$0].bits }
              #expect(difference(bits, kernels.combine(.sum, a, b)) == nil)
            }
          }
          kernels.divide(E.type, count: count, y, by: 3)
          kernels.combine(.sum, E.type, count: count, y, second, into: y)
          kernels.combine(.sum, E.type, count: count, first, y, into: y)
        }
      }
    }
    for type in ElementType.accumulators { check(type.element) }
  }

  @Test(
    "conversions of 16-bit types stay in bounds", arguments: InstructionSet.supported,
    Fences.Side.allCases)
  func conversions(instructions: InstructionSet, side: Fences.Side) {
    let kernels = KernelSet(instructions)
    for count in sizes {
      let halves = (0..<count).map { UInt16(truncatingIfNeeded: $0 * 97) & 0x3fff }
      for type in [ElementType.float16, .bfloat16] {
        Fences.with(side) { fences in
          let floats = fences.output(count)
          kernels.widen(type, count: count, fences.input(halves), into: floats)
          let narrowed = fences.output([UInt16](repeating: 1, count: count))
          kernels.narrow(type, count: count, floats, into: narrowed)
          #expect((0..<count).map { narrowed[$0] } == halves)
        }
      }
    }
  }

  @Test(
    "functions and activations stay in bounds", arguments: InstructionSet.supported,
    Fences.Side.allCases)
  func functions(instructions: InstructionSet, side: Fences.Side) {
    let table = KernelSet(instructions).table
    let (functions, activations) = (table.functions, table.activations)
    for count in sizes {
      Fences.with(side) { fences in
        let x = fences.input(randomValues(count, 1))
        let dy = fences.input(randomValues(count, 2))
        let y = fences.output(count)
        for function in [
          functions.exponential, functions.logarithm, functions.tanh, functions.erf,
          functions.sigmoid, functions.softplus, activations.gelu, activations.geluTanh,
        ] { function(count, x, y) }
        activations.leakyReLU(count, 0.1, x, y)
        activations.leakyReLUGradient(count, 0.1, x, dy, y)
        for gradient in [
          activations.geluGradient, activations.geluTanhGradient,
          activations.sigmoidGradient, activations.tanhGradient,
        ] { gradient(count, x, dy, y) }
        table.random.dropout(count, 1, 2, 1 << 31, 2, x, y)
        let blocks = fences.output([UInt32](repeating: 0, count: 4 * count))
        table.random.words(count, 1, 2, 3, blocks)
      }
    }
  }

  @Test(
    "normalization stays in bounds", arguments: InstructionSet.supported, Fences.Side.allCases)
  func normalization(instructions: InstructionSet, side: Fences.Side) {
    let table = KernelSet(instructions).table.normalization
    for (rows, columns) in [0, 1, 3, 130].flatMap({ rows in sizes.map { (rows, $0) } }) {
      Fences.with(side) { fences in
        let x = fences.input(randomValues(rows * columns, 1))
        let dy = fences.input(randomValues(rows * columns, 2))
        let y = fences.output(rows * columns)
        let p = (3...6).map { fences.input(randomValues(columns, $0)) }
        let (means, scales) = (fences.output(rows), fences.output(rows))
        table.normalizeRows(rows, columns, 0.1, x, p[0], p[1], y, means, scales)
        table.normalizeRowsGradient(rows, columns, x, dy, means, scales, p[0], y)
        let sums = fences.output(columns)
        table.sumRowProducts(rows, columns, x, dy, means, scales, sums)
        table.sumColumnSquares(rows, columns, x, p[0], sums)
        table.sumColumnProducts(rows, columns, x, dy, p[0], p[1], sums)
        table.normalizeColumns(rows, columns, x, p[0], p[1], p[2], p[3], y)
        table.normalizeColumnsGradient(
          rows, columns, 100, x, dy, p[0], p[1], p[2], p[3], sums, y)
      }
    }
  }

  @Test("sparse rows stay in bounds", arguments: InstructionSet.supported, Fences.Side.allCases)
  func sparse(instructions: InstructionSet, side: Fences.Side) {
    let table = KernelSet(instructions).table.sparse
    for columns in sizes {
      for indices in [[], [0], [4, 0, 4, 2]] as [[Int32]] {
        Fences.with(side) { fences in
          table.sumScaledRows(
            indices.count, columns, fences.input(indices),
            fences.input(randomValues(indices.count, 1)),
            fences.input(randomValues(5 * columns, 2)), fences.output(columns))
        }
      }
    }
  }

  @Test(
    "operations on rows stay in bounds", arguments: InstructionSet.supported,
    Fences.Side.allCases)
  func rows(instructions: InstructionSet, side: Fences.Side) {
    let kernels = KernelSet(instructions)
    let table = kernels.table
    for (rows, columns) in [0, 1, 3].flatMap({ rows in sizes.map { (rows, $0) } }) {
      let x = Grid(rows: rows, columns: columns, random: 1)
      let values = randomValues(rows * columns, 2)
      Fences.with(side) { fences in
        let input = fences.input(x)
        table.addBias(rows, columns, fences.input(randomValues(columns, 3)), fences.output(values))
        table.sumRows(rows, columns, input.base, fences.output(columns))
        guard columns > 0 else { return }
        let targets = fences.input(values)
        let (losses, dx) = (fences.output(rows), fences.output(rows * columns))
        for loss in [
          table.losses.squaredError, table.losses.absoluteError, table.losses.binaryCrossEntropy,
          table.losses.hinge,
        ] { loss(rows, columns, input.base, targets, losses, dx) }
        table.losses.huber(rows, columns, 0.5, input.base, targets, losses, dx)
        table.softmaxGradient(rows, columns, input.base, targets, dx)
        let labels = [Int32](repeating: Int32(columns - 1), count: rows)
        table.losses.softmaxCrossEntropy(
          rows, columns, input.base, fences.input(labels), 0.1, losses, dx)
        table.losses.multiClassHinge(rows, columns, input.base, fences.input(labels), losses, dx)
        let y = fences.output(rows: rows, columns: columns)
        table.softmax(rows, columns, input.base, y.base)
        // The address does not show in the bits.
        #expect(y.grid.bits == kernels.softmax(x).bits)
      }
    }
  }

  @Test(
    "packing stays in bounds", arguments: InstructionSet.supported, Fences.Side.allCases)
  func packing(instructions: InstructionSet, side: Fences.Side) {
    let products = KernelSet(instructions).table.products
    let width = products.tileColumns
    for depth in [0, 1, 2, 15, 16, 17, 33] {
      for columns in [1, 2, width / 2 - 1, width / 2, width - 1, width, width + 1, 2 * width + 3] {
        for gap in [0, 3] {
          Fences.with(side) { fences in
            // A source that ends with its last element, not with its last stride.
            let panels = (columns + width - 1) / width
            let rows = depth == 0 ? 0 : (depth - 1) * (columns + gap) + columns
            products.packRows(
              columns, depth, fences.input(randomValues(rows, 1)), columns + gap,
              fences.output(panels * width * depth), width * depth)
            let lines = depth == 0 ? 0 : (columns - 1) * (depth + gap) + depth
            products.packColumns(
              columns, depth, fences.input(randomValues(lines, 1)), depth + gap,
              fences.output(panels * width * depth), width * depth)
          }
        }
      }
    }
  }

  @Test(
    "a panel holds the columns of its source, and zeros up to the end of a vector",
    arguments: InstructionSet.supported)
  func panelContents(instructions: InstructionSet) {
    let products = KernelSet(instructions).table.products
    let (width, depth, stride) = (products.tileColumns, 18, 50)
    let columns = width - 3
    let source = randomValues(50 * 50, 1)
    let fromRows = Grid(rows: depth, columns: width) {
      products.packRows(columns, depth, source, stride, $0.base, width * depth)
    }
    let fromColumns = Grid(rows: depth, columns: width) {
      products.packColumns(columns, depth, source, stride, $0.base, width * depth)
    }
    for d in 0..<depth {
      for j in 0..<width {
        #expect(fromRows.values[d * width + j] == (j < columns ? source[d * stride + j] : 0))
        #expect(fromColumns.values[d * width + j] == (j < columns ? source[j * stride + d] : 0))
      }
    }
  }

  @Test("products stay in bounds", arguments: InstructionSet.supported, Fences.Side.allCases)
  func products(instructions: InstructionSet, side: Fences.Side) {
    let kernels = KernelSet(instructions)
    let products = kernels.table.products
    let (tileRows, tileColumns) = (products.tileRows, products.tileColumns)
    // No row, one, few, tiles read in place and packed panels.
    for m in [0, 1, 2, 3, tileRows, tileRows + 1, 2 * tileRows + 1] {
      for n in [0, 1, 10, products.lanes, tileColumns - 1, tileColumns, tileColumns + 1] {
        for k in [0, 1, 17, 258] {
          let x = Grid(rows: m, columns: k, random: 1)
          let w = Grid(rows: k, columns: n, random: 2)
          let dy = Grid(rows: m, columns: n, random: 3)
          let shards = ShardRows(first: 0, ends: [m / 2, m])
          Fences.with(side) { fences in
            let (input, weights) = (fences.input(x), fences.input(w))
            let y = fences.output(rows: m, columns: n)
            kernels.product(input, weights, into: y)
            // The address does not show in the bits.
            #expect(y.grid.bits == kernels.product(x, w).bits)
            let bias = fences.input(randomValues(n, 4))
            kernels.product(input, weights, into: y, from: .bias(bias), then: .relu)
            kernels.product(
              input, weights, into: y, from: .result, then: .reluGradient(fences.input(dy)))
            let packed = PackedMatrix(depth: k, columns: n, for: kernels)
            packed.pack(weights)
            kernels.product(input, packed, into: y, from: .bias(bias))
            #expect(y.grid.bits == kernels.product(x, w, from: .bias(bias)).bits)
            kernels.productWithTranspose(
              fences.input(dy), weights, into: fences.output(rows: m, columns: k),
              then: .reluGradient(input))
            let dw = fences.output(rows: k, columns: n)
            kernels.productOfTranspose(input, fences.input(dy), over: shards, into: dw)
            kernels.productOfTranspose(
              input, fences.input(dy), over: shards, into: dw, accumulate: true)
            kernels.productOfTranspose(
              input, fences.input(dy), over: ShardRows(undivided: m), into: dw)
            kernels.sumRows(fences.input(dy), over: shards, into: fences.output(n))
          }
        }
      }
    }
  }

  @Test(
    "a product with a left operand that is copied, or written block by block, stays in bounds",
    arguments: InstructionSet.supported, Fences.Side.allCases)
  func copiedLeft(instructions: InstructionSet, side: Fences.Side) {
    let kernels = KernelSet(instructions)
    let x = Grid(rows: 130, columns: 256, random: 1)
    let dy = Grid(rows: 130, columns: 30, random: 2)
    #expect(ProductBlocks.isCopied(depth: x.rows, stride: x.columns))
    Fences.with(side) { fences in
      let dw = fences.output(rows: 256, columns: 30)
      for shards in [ShardRows(undivided: 130), ShardRows(first: 0, ends: [60, 130])] {
        kernels.productOfTranspose(fences.input(x), fences.input(dy), over: shards, into: dw)
        let expected = kernels.productOfTranspose(x, dy, over: shards)
        #expect(dw.grid.bits == expected.bits)
      }
      let packed = PackedMatrix(depth: 130, columns: 256, for: kernels)
      packed.pack(fences.input(x))
      let y = fences.output(rows: 30, columns: 256)
      kernels.product(GridSource(grid: dy.transposed), packed, into: y)
      #expect(y.grid.bits == kernels.product(dy.transposed, x).bits)
    }
  }
}
