import Foundation
import Kernels

extension KernelCase {
  /// Ten classes and a thousand.
  static var losses: [KernelCase] {
    [10, 1000].flatMap { columns in
      [
        softmax(columns: columns), softmaxGradient(columns: columns),
        softmaxCrossEntropy(columns: columns), multiClassHinge(columns: columns),
      ] + valueLosses.map { $0.evaluation(rows: rows, columns: columns) }
    } + [sum(shards: 8)]
  }

  private static let rows = 128

  /// Roundings on the way to e^x, to its sum over a row, and to a quotient or logarithm of it.
  private static func roundings(columns: Int) -> Int { columns + 16 }

  private static func softmax(columns: Int) -> KernelCase {
    let count = rows * columns
    return KernelCase(
      group: .loss, kernel: "softmax", shape: "\(rows)x\(columns)", bytes: 8 * count,
      footprint: 8 * count
    ) { kernels in
      let x = Operand<Float>(count, seed: 1, in: -8...8)
      let y = Operand<Float>(results: count)
      return PreparedKernel(
        call: { kernels.softmax(x.matrix(rows, columns), into: y.matrix(rows, columns)) },
        count: count, result: { Double(y.base[$0]) }
      ) {
        Expected(
          share(of: $0 % columns, in: row($0 / columns, of: x, columns)),
          roundings: roundings(columns: columns))
      }
    }
  }

  private static func softmaxGradient(columns: Int) -> KernelCase {
    let count = rows * columns
    return KernelCase(
      group: .loss, kernel: "softmaxGradient", shape: "\(rows)x\(columns)", bytes: 12 * count,
      footprint: 12 * count
    ) { kernels in
      let y = Operand<Float>(count, seed: 1, in: 0...1)
      let dy = Operand<Float>(count, seed: 2)
      let dx = Operand<Float>(results: count)
      return PreparedKernel(
        call: {
          kernels.softmaxGradient(
            y.matrix(rows, columns), dy.matrix(rows, columns), into: dx.matrix(rows, columns))
        }, count: count, result: { Double(dx.base[$0]) }
      ) {
        let products = zip(row($0 / columns, of: y, columns), row($0 / columns, of: dy, columns))
          .map { $0 * $1 }
        return Expected(
          Double(y.base[$0]) * (Double(dy.base[$0]) - products.reduce(0, +)),
          roundings: columns + 4, scale: 1 + products.reduce(0) { $0 + abs($1) })
      }
    }
  }

  private static func row(_ row: Int, of x: Operand<Float>, _ columns: Int) -> [Double] {
    (0..<columns).map { Double(x.base[row * columns + $0]) }
  }

  private static func share(of column: Int, in row: [Double]) -> Double {
    exp(row[column]) / row.reduce(0) { $0 + exp($1) }
  }

  /// The results are the losses, then the gradient.
  private static func softmaxCrossEntropy(columns: Int) -> KernelCase {
    let count = rows * columns
    let bytes = 8 * count + 8 * rows
    return KernelCase(
      group: .loss, kernel: "softmaxCrossEntropy", shape: "\(rows)x\(columns)", bytes: bytes,
      footprint: bytes
    ) { kernels in
      let x = Operand<Float>(count, seed: 1, in: -8...8)
      let labels = Operand<Int32>(rows) { Int32($0 * 7 % columns) }
      let losses = Operand<Float>(results: rows)
      let dx = Operand<Float>(results: count)
      return PreparedKernel(
        call: {
          kernels.softmaxCrossEntropy(
            x.matrix(rows, columns), labels: labels.base, losses: losses.base,
            into: dx.matrix(rows, columns))
        }, count: rows + count,
        result: { Double($0 < rows ? losses.base[$0] : dx.base[$0 - rows]) }
      ) { index in
        let roundings = roundings(columns: columns)
        if index < rows {
          let label = Int(labels.base[index])
          let loss = -log(share(of: label, in: row(index, of: x, columns)))
          // Of numbers up to 8, whose difference the loss is.
          return Expected(loss, roundings: roundings, scale: loss + 8)
        }
        let (i, j) = ((index - rows) / columns, (index - rows) % columns)
        let share = share(of: j, in: row(i, of: x, columns))
        return Expected(
          labels.base[i] == Int32(j) ? share - 1 : share, roundings: roundings, scale: share + 1)
      }
    }
  }

  /// The results are the losses, then the gradient.
  private static func multiClassHinge(columns: Int) -> KernelCase {
    let count = rows * columns
    let bytes = 8 * count + 8 * rows
    return KernelCase(
      group: .loss, kernel: "multiClassHinge", shape: "\(rows)x\(columns)", bytes: bytes,
      footprint: bytes
    ) { kernels in
      let x = Operand<Float>(count, seed: 1)
      let labels = Operand<Int32>(rows) { Int32($0 * 7 % columns) }
      let losses = Operand<Float>(results: rows)
      let dx = Operand<Float>(results: count)
      /// Of the label's output and every other: by how much they are too close; 0 at the label.
      func excess(_ i: Int) -> [Double] {
        let (row, label) = (row(i, of: x, columns), Int(labels.base[i]))
        return row.indices.map { $0 == label ? 0 : max(0, 1 + row[$0] - row[label]) }
      }
      return PreparedKernel(
        call: {
          kernels.multiClassHinge(
            x.matrix(rows, columns), labels: labels.base, losses: losses.base,
            into: dx.matrix(rows, columns))
        }, count: rows + count,
        result: { Double($0 < rows ? losses.base[$0] : dx.base[$0 - rows]) }
      ) { index in
        if index < rows {
          return Expected(
            excess(index).reduce(0, +) / Double(columns), roundings: columns + 4, scale: 3)
        }
        let (i, j) = ((index - rows) / columns, (index - rows) % columns)
        let active = excess(i).map { $0 > 0 ? 1.0 : 0 }
        return Expected(
          (j == Int(labels.base[i]) ? -active.reduce(0, +) : active[j]) / Double(columns),
          roundings: 2)
      }
    }
  }

  /// One loss a sample.
  private static func sum(shards: Int) -> KernelCase {
    let rows = 4096
    return KernelCase(
      group: .loss, kernel: "sum/\(shards)-shards", shape: "\(rows)", bytes: 4 * rows,
      footprint: 4 * rows
    ) { kernels in
      let x = Operand<Float>(rows, seed: 1)
      let run = ShardRows(first: 0, ends: (1...shards).map { $0 * rows / shards })
      let total = Operand<Float>(results: 1)
      return PreparedKernel(
        call: { kernels.sum(x.base, over: run, into: total.base) }, count: 1,
        result: { Double(total.base[$0]) }
      ) { _ in
        let terms = x.elements.map { Double($0) }
        return Expected(
          terms.reduce(0, +), roundings: rows, scale: terms.reduce(0) { $0 + abs($1) })
      }
    }
  }
}
