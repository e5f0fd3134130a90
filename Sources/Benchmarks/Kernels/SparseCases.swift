import Kernels

extension KernelCase {
  private static let rows = 128
  private static let columns = 256
  private static let words = 20_000
  /// In a row.
  private static let elements = 100

  /// A hidden layer over samples with a hundred of 20,000 words each, and an embedding of as many.
  static var sparses: [KernelCase] {
    [sparseProduct, sparseProductOfTranspose(shards: 1), sparseProductOfTranspose(shards: 8)]
      + [embed, embedGradient(shards: 1), embedGradient(shards: 8)]
  }

  private static var flops: Double { 2 * Double(rows * elements * columns) }
  /// Bytes of the rows that are picked from the words' matrix, of the indices and values that pick
  /// them, and of the samples' rows.
  private static var bytes: Int { rows * elements * (4 * columns + 8) + 4 * rows * columns }

  /// Stored elements by row, all in different columns.
  private struct SparseRows {
    let starts = Operand<Int>(KernelCase.rows + 1) { $0 * KernelCase.elements }
    let indices = Operand<Int32>(KernelCase.rows * KernelCase.elements) {
      Int32($0 * 7919 % KernelCase.words)
    }
    let values = Operand<Float>(KernelCase.rows * KernelCase.elements, seed: 1)

    var matrix: SparseMatrix {
      SparseMatrix(
        rows: KernelCase.rows, columns: KernelCase.words, rowStarts: starts.base,
        columnIndices: indices.base, values: values.base)
    }
  }

  private static var sparseProduct: KernelCase {
    KernelCase(
      group: .sparse, kernel: "product", shape: "\(rows)x\(columns)x\(words) \(elements) a row",
      flops: flops, bytes: bytes, footprint: bytes
    ) { kernels in
      let x = SparseRows()
      let w = Operand<Float>(words * columns, seed: 2)
      let y = Operand<Float>(results: rows * columns)
      let matrix = x.matrix
      return PreparedKernel(
        call: {
          kernels.product(matrix, w.matrix(words, columns), into: y.matrix(rows, columns))
        }, count: y.count, result: { Double(y.base[$0]) }
      ) {
        let (i, j) = ($0 / columns, $0 % columns)
        return sum(i * elements..<(i + 1) * elements) {
          Double(x.values.base[$0]) * Double(w.base[Int(x.indices.base[$0]) * columns + j])
        }
      }
    }
  }

  private static func sparseProductOfTranspose(shards: Int) -> KernelCase {
    // All of the result is written.
    let bytes = bytes + 4 * words * columns
    return KernelCase(
      group: .sparse,
      kernel: shards == 1 ? "productOfTranspose" : "productOfTranspose/\(shards)-shards",
      shape: "\(words)x\(columns)x\(rows) \(elements) a row", flops: flops, bytes: bytes,
      footprint: bytes
    ) { kernels in
      let x = SparseRows()
      let dy = Operand<Float>(rows * columns, seed: 2)
      let dw = Operand<Float>(results: words * columns)
      let matrix = x.matrix
      let run = ShardRows(first: 0, ends: (1...shards).map { $0 * rows / shards })
      return PreparedKernel(
        call: {
          kernels.productOfTranspose(
            matrix, dy.matrix(rows, columns), over: run, into: dw.matrix(words, columns))
        }, count: dw.count, result: { Double(dw.base[$0]) }
      ) {
        let (word, j) = ($0 / columns, $0 % columns)
        return sum((0..<x.indices.count).filter { Int(x.indices.base[$0]) == word }) {
          Double(x.values.base[$0]) * Double(dy.base[$0 / elements * columns + j])
        }
      }
    }
  }

  private static var embed: KernelCase {
    let count = rows * elements
    let bytes = 4 * count + 8 * count * columns
    return KernelCase(
      group: .sparse, kernel: "embed", shape: "\(count) of \(words)x\(columns)", bytes: bytes,
      footprint: bytes
    ) { kernels in
      let x = SparseRows()
      let w = Operand<Float>(words * columns, seed: 2)
      let y = Operand<Float>(results: count * columns)
      return PreparedKernel(
        call: {
          kernels.embed(
            x.indices.readOnly, in: w.matrix(words, columns), into: y.matrix(count, columns))
        }, count: y.count, result: { Double(y.base[$0]) }
      ) {
        .exactly(Double(w.base[Int(x.indices.base[$0 / columns]) * columns + $0 % columns]))
      }
    }
  }

  private static func embedGradient(shards: Int) -> KernelCase {
    let count = rows * elements
    let bytes = 4 * count + 4 * (count + words) * columns
    return KernelCase(
      group: .sparse, kernel: shards == 1 ? "embedGradient" : "embedGradient/\(shards)-shards",
      shape: "\(count) of \(words)x\(columns)", bytes: bytes, footprint: bytes
    ) { kernels in
      let x = SparseRows()
      let dy = Operand<Float>(count * columns, seed: 2)
      let dw = Operand<Float>(results: words * columns)
      let run = ShardRows(first: 0, ends: (1...shards).map { $0 * count / shards })
      return PreparedKernel(
        call: {
          kernels.embedGradient(
            x.indices.readOnly, dy.matrix(count, columns), over: run,
            into: dw.matrix(words, columns))
        }, count: dw.count, result: { Double(dw.base[$0]) }
      ) {
        let (word, j) = ($0 / columns, $0 % columns)
        return sum((0..<count).filter { Int(x.indices.base[$0]) == word }) {
          Double(dy.base[$0 * columns + j])
        }
      }
    }
  }

  /// Two roundings for each term, where multiplication and addition are not fused.
  private static func sum(
    _ places: some Collection<Int>, _ term: (Int) -> Double
  ) -> Expected {
    let terms = places.map(term)
    return Expected(
      terms.reduce(0, +), roundings: 2 * terms.count, scale: terms.reduce(0) { $0 + abs($1) })
  }
}
