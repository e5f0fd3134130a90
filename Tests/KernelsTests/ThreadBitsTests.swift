import Testing

@testable import Kernels

/// What threads share has the bits of what one does, on random shapes, however little work there is.
struct ThreadBitsTests {
  static let threads = [2, 3, 5]

  /// Runs `body` on one thread and on several, and compares all that it returns.
  private func compare(
    _ instructions: InstructionSet, _ label: String, _ body: (KernelSet) -> [UInt32],
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let expected = body(KernelSet(instructions))
    for threads in ThreadBitsTests.threads {
      let kernels = KernelSet(instructions, threads: threads)
      kernels.dividesLittleWork = true
      // Again, with scratch that is there.
      for _ in 0..<2 {
        #expect(
          difference(body(kernels), expected) == nil, "\(label), \(threads) threads",
          sourceLocation: sourceLocation)
      }
    }
  }

  private static let shards: [ShardRows] = [
    ShardRows(undivided: 37), ShardRows(first: 0, ends: [5, 9, 9, 17, 20, 28, 31, 37]),
    ShardRows(first: 8, ends: [11, 20, 30, 37]), ShardRows(first: 3, ends: [1, 13, 37]),
    ShardRows(first: 2, ends: [4, 8, 12, 20, 30, 37]), ShardRows(first: 0, ends: Array(1...37)),
  ]

  @Test("products", arguments: InstructionSet.supported)
  func products(instructions: InstructionSet) {
    var draws = Draws(50)
    for number in 0..<25 {
      let (m, k) = (draws.next(in: 1...70), draws.next(in: 1...90))
      let n = [1, 3, 10, 16, 33, 64, 100, 300][draws.next(in: 0...7)]
      let (x, w) = (
        Grid(rows: m, columns: k, random: number), Grid(rows: k, columns: n, random: 77)
      )
      let (dy, y) = (Grid(rows: m, columns: n, random: 78), Grid(rows: m, columns: n, random: 79))
      let bias = randomValues(n, 80)
      compare(instructions, "\(m) x \(n) x \(k)") { kernels in
        let packed = PackedMatrix(depth: k, columns: n, for: kernels)
        w.read { packed.pack($0) }
        let results = bias.withUnsafeBufferPointer { bias in
          y.read { y in
            [
              kernels.product(x, w, from: .bias(bias.baseAddress!), then: .relu),
              kernels.product(x, packed), kernels.product(source: x, packed),
              kernels.product(x, w, from: .result, over: dy, then: .reluGradient(y)),
              kernels.productWithTranspose(dy, w),
              kernels.product(x, w, then: .activation(kernels.table.functions.tanh)),
            ]
          }
        }
        return results.flatMap(\.bits)
      }
    }
    // More than a block of the depth, of rows, and of columns.
    for (m, n, k) in [(40, 70, 1100), (170, 65, 1030), (3, 1100, 20), (1, 333, 40)] {
      let (x, w) = (Grid(rows: m, columns: k, random: 81), Grid(rows: k, columns: n, random: 82))
      compare(instructions, "\(m) x \(n) x \(k)") { $0.product(x, w).bits }
    }
  }

  @Test("products summed over shards", arguments: InstructionSet.supported)
  func shardedProducts(instructions: InstructionSet) {
    for (number, shards) in Self.shards.enumerated() {
      for (k, n) in [(1, 1), (13, 10), (50, 33), (61, 130), (512, 48), (784, 10)] {
        let x = Grid(rows: 37, columns: k, random: number)
        let dy = Grid(rows: 37, columns: n, random: number + 100)
        compare(instructions, "\(k) x \(n), \(shards)") { kernels in
          let sum = kernels.productOfTranspose(x, dy, over: shards)
          let more = Grid(rows: k, columns: n) { dw in
            dw.fill(sum)
            x.read { x in
              dy.read {
                kernels.productOfTranspose(x, $0, over: shards, into: dw, accumulate: true)
              }
            }
          }
          return sum.bits + more.bits
        }
      }
    }
  }

  @Test("convolutions and their gradients", arguments: InstructionSet.supported)
  func convolutions(instructions: InstructionSet) {
    for (number, windows) in ImageWindows.random(12, number: 51).enumerated() {
      let filters = [1, 6, 16, 33][number % 4]
      let test = ConvolutionTests.Case(windows, filters: filters, images: 37, number: number)
      let shards = Self.shards[number % Self.shards.count]
      compare(instructions, "\(windows), \(filters) filters, \(shards)") { kernels in
        kernels.convolution(test.x, test.w, windows).bits
          + kernels.convolutionByWeights(test.x, test.dy, windows, over: shards).bits
          + kernels.convolutionByImages(test.dy, test.w, windows).bits
      }
    }
  }

  @Test("pooling", arguments: InstructionSet.supported)
  func pooling(instructions: InstructionSet) {
    for (number, windows) in ImageWindows.random(12, number: 52).enumerated() {
      let x = Grid(rows: 7, columns: windows.imageSize, random: number)
      let outputs = windows.count * windows.channels
      let dy = Grid(rows: 7, columns: outputs, random: number + 100)
      compare(instructions, "\(windows)") { kernels in
        var places = [Int32](repeating: -1, count: 7 * outputs)
        let y = x.read { x in
          Grid(rows: 7, columns: outputs) {
            kernels.maximumPool(x, windows, into: $0, places: &places)
          }
        }
        let mean = x.read { x in
          Grid(rows: 7, columns: outputs) { kernels.averagePool(x, windows, into: $0) }
        }
        let dx = dy.read { dy in
          Grid(rows: 7, columns: windows.imageSize) {
            kernels.maximumPoolGradient(dy, windows, places: places, into: $0)
          }
        }
        let dmean = dy.read { dy in
          Grid(rows: 7, columns: windows.imageSize) {
            kernels.averagePoolGradient(dy, windows, into: $0)
          }
        }
        return y.bits + mean.bits + dx.bits + dmean.bits + places.map { UInt32(bitPattern: $0) }
      }
    }
  }

  @Test("activations, functions, dropout and sums", arguments: InstructionSet.supported)
  func elementwise(instructions: InstructionSet) {
    let mask = DropoutMask(seed: 3, layer: 1, step: 4, rate: 0.4)
    let unary: [(KernelSet, Matrix, Matrix) -> Void] = [
      { $0.relu($1, into: $2) }, { $0.leakyReLU($1, slope: 0.1, into: $2) },
      { $0.gelu($1, into: $2) }, { $0.geluTanh($1, into: $2) }, { $0.exponential($1, into: $2) },
      { $0.logarithm($1, into: $2) }, { $0.tanh($1, into: $2) }, { $0.erf($1, into: $2) },
      { $0.sigmoid($1, into: $2) }, { $0.softplus($1, into: $2) },
      { $0.softmax($1, into: $2) },
      { $0.dropout($1, mask: mask, firstSample: 9, into: $2) },
      {
        _ = $2.elements.update(fromContentsOf: $1.elements)
        $0.scale($2.elements, by: 0.7)
      },
      {
        _ = $2.elements.update(fromContentsOf: $1.elements)
        $0.add(UnsafeBufferPointer($1.elements), to: $2.elements)
      },
    ]
    let binary: [(KernelSet, Matrix, Matrix, Matrix) -> Void] = [
      { $0.reluGradient($1, $2, into: $3) },
      { $0.leakyReLUGradient($1, $2, slope: 0.1, into: $3) },
      { $0.geluGradient($1, $2, into: $3) }, { $0.geluTanhGradient($1, $2, into: $3) },
      { $0.sigmoidGradient($1, $2, into: $3) },
      { $0.tanhGradient($1, $2, into: $3) }, { $0.softmaxGradient($1, $2, into: $3) },
    ]
    for (rows, columns) in [(1, 1), (3, 5), (7, 33), (37, 61), (2, 500)] {
      let a = Grid(rows: rows, columns: columns, random: 1)
      let b = Grid(rows: rows, columns: columns, random: 2)
      compare(instructions, "\(rows) x \(columns)") { kernels in
        a.read { a in
          b.read { b in
            unary.flatMap { f in Grid(rows: rows, columns: columns) { f(kernels, a, $0) }.bits }
              + binary.flatMap { f in
                Grid(rows: rows, columns: columns) { f(kernels, a, b, $0) }.bits
              }
          }
        }
      }
    }
  }

  @Test("optimizers' updates", arguments: InstructionSet.supported)
  func optimizers(instructions: InstructionSet) {
    for update in OptimizerUpdate.allCases {
      for count in [1, 16, 67, 1000] {
        compare(instructions, "\(update), \(count) elements") { kernels in
          let result = update.run(kernels, count: count)
          let sums = result.sums.flatMap {
            [
              UInt32(truncatingIfNeeded: $0.bitPattern),
              UInt32(truncatingIfNeeded: $0.bitPattern >> 32),
            ]
          }
          return [result.parameters, result.a, result.b, result.c].flatMap { $0.map(\.bitPattern) }
            + sums
        }
      }
    }
  }

  @Test("normalization and sums of columns", arguments: InstructionSet.supported)
  func normalization(instructions: InstructionSet) {
    for (number, shards) in Self.shards.enumerated() {
      let columns = [1, 6, 16, 37, 64, 100][number]
      let x = Grid(rows: 37, columns: columns, random: number)
      let dy = Grid(rows: 37, columns: columns, random: number + 50)
      let (gain, bias) = (randomValues(columns, 1), randomValues(columns, 2))
      compare(instructions, "\(columns) columns, \(shards)") { kernels in
        var bits: [UInt32] = []
        x.read { x in
          dy.read { dy in
            var means = [Float](repeating: 0, count: 37)
            var scales = means
            bits +=
              Grid(rows: 37, columns: columns) {
                kernels.normalizeRows(
                  x, epsilon: 1e-5, gain: gain, bias: bias, into: $0, means: &means, scales: &scales
                )
              }.bits
            bits +=
              Grid(rows: 37, columns: columns) {
                kernels.normalizeRowsGradient(
                  x, dy, means: means, scales: scales, gain: gain, into: $0)
              }.bits
            bits += (means + scales).map(\.bitPattern)
            func sums(_ body: (UnsafeMutablePointer<Float>) -> Void) -> [Float] {
              let row = Grid(rows: 1, columns: columns) { body($0.base) }
              bits += row.bits
              return row.values
            }
            _ = sums {
              kernels.sumRowProducts(x, dy, means: means, scales: scales, over: shards, into: $0)
            }
            let totals = sums { kernels.sumRows(x, over: shards, into: $0) }
            let mean = totals.map { $0 / 37 }
            let squares = sums { kernels.sumColumnSquares(x, means: mean, over: shards, into: $0) }
            let scale = squares.map { 1 / ($0 / 37 + 1e-5).squareRoot() }
            bits +=
              Grid(rows: 37, columns: columns) {
                kernels.normalizeColumns(
                  x, means: mean, scales: scale, gain: gain, bias: bias, into: $0)
              }.bits
            let dgain = sums {
              kernels.sumColumnProducts(x, dy, means: mean, scales: scale, over: shards, into: $0)
            }
            let dbias = sums { kernels.sumRows(dy, over: shards, into: $0) }
            bits +=
              Grid(rows: 37, columns: columns) {
                kernels.normalizeColumnsGradient(
                  x, dy, means: mean, scales: scale, gain: gain, dgain: dgain, dbias: dbias,
                  count: 37, into: $0)
              }.bits
          }
        }
        return bits
      }
    }
  }
}
