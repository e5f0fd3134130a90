import Testing

@testable import Kernels

/// The scratch that is said to be needed is what operations take at most.
struct ScratchNeedTests {
  /// A set whose scratch has been taken at once, and how much it was before and after `body`.
  private func check(
    _ need: ScratchNeed, _ instructions: InstructionSet, threads: Int, _ label: String,
    _ body: (KernelSet) -> Void
  ) {
    let kernels = KernelSet(instructions, threads: threads)
    kernels.dividesLittleWork = true
    kernels.reserve(need)
    let before = kernels.scratchCount
    #expect(before <= need.count(threads: threads) + 16 * threads)
    body(kernels)
    body(kernels)
    #expect(kernels.scratchCount == before, "\(label), \(threads) threads")
  }

  @Test("products and sums of columns", arguments: InstructionSet.supported)
  func products(instructions: InstructionSet) {
    for (number, (m, k, n)) in [
      (1, 1, 1), (37, 50, 33), (128, 784, 100), (200, 512, 40), (30, 1100, 70), (150, 256, 65),
      (700, 300, 10),
    ].enumerated() {
      let x = Grid(rows: m, columns: k, random: number)
      let w = Grid(rows: k, columns: n, random: number + 10)
      let dy = Grid(rows: m, columns: n, random: number + 20)
      let shards = ShardRows(first: 8, ends: (1...8).map { $0 * m / 8 })
      for threads in [1, 2, 3] {
        let need = ScratchNeed.products(
          rows: m, inputs: k, outputs: n, shards: 16, threads: threads)
        check(need, instructions, threads: threads, "\(m) x \(k) x \(n)") { kernels in
          _ = kernels.product(x, w)
          _ = kernels.productWithTranspose(dy, w)
          _ = kernels.productOfTranspose(x, dy, over: shards)
          _ = kernels.productOfTranspose(x, dy, over: ShardRows(undivided: m))
          _ = kernels.sumRows(dy, over: shards)
        }
      }
    }
  }

  @Test("sparse products by the transpose, and embeddings", arguments: InstructionSet.supported)
  func sparse(instructions: InstructionSet) {
    for (number, (rows, columns, outputs)) in [(1, 1, 1), (37, 5, 3), (50, 1000, 33)].enumerated() {
      var draws = Draws(number)
      let words = (0..<rows).map { _ in Int32(draws.next(in: 0...columns - 1)) }
      let dy = Grid(rows: rows, columns: outputs, random: number)
      let shards = ShardRows(first: 8, ends: (1...8).map { $0 * rows / 8 })
      for threads in [1, 2] {
        let need = ScratchNeed.sparseTranspose(
          elements: rows, columns: columns, outputs: outputs, shards: 16)
        check(need, instructions, threads: threads, "\(rows) of \(columns) words") { kernels in
          words.withUnsafeBufferPointer { words in
            dy.read { dy in
              _ = Grid(rows: columns, columns: outputs) {
                kernels.embedGradient(words, dy, over: shards, into: $0)
              }
            }
          }
        }
      }
    }
  }

  @Test("sums over the batch take what is said for any run of shards")
  func batchSums() {
    for shards in [1, 2, 16, 64] {
      for first in 0..<shards {
        for last in first..<shards {
          let run = ShardRows(first: first, ends: Array(1...last - first + 1))
          let width = 7
          let need = ScratchNeed.batchSums(width, shards: shards, threads: 1)
          #expect(run.inPlanes(stride: width).planeCount * width <= need.batchSums)
        }
      }
    }
  }

  @Test("convolutions", arguments: InstructionSet.supported)
  func convolutions(instructions: InstructionSet) {
    for (number, windows) in ImageWindows.random(30, number: 61).enumerated() {
      let filters = [1, 6, 16, 33][number % 4]
      let test = ConvolutionTests.Case(windows, filters: filters, images: 37, number: number)
      let shards = ShardRows(first: 8, ends: [5, 9, 9, 17, 20, 28, 31, 37])
      for threads in [1, 2, 3] {
        let need = ScratchNeed.convolution(
          windows, filters: filters, images: 37, shards: 16, threads: threads)
        check(need, instructions, threads: threads, "\(windows), \(filters) filters") { kernels in
          _ = kernels.convolution(test.x, test.w, windows)
          _ = kernels.convolutionByWeights(test.x, test.dy, windows, over: shards)
          _ = kernels.convolutionByImages(test.dy, test.w, windows)
        }
      }
    }
  }
}
