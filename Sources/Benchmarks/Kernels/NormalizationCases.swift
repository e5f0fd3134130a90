import Kernels

extension KernelCase {
  /// Rows as of a perceptron's layer and columns as of 32 images' channels, each kernel of both.
  static var normalizations: [KernelCase] {
    RowPart.allCases.map { rows($0, rows: 128, columns: 512) }
      + ColumnPart.allCases.map { columns($0, rows: 25088, columns: 32) }
  }

  private static let epsilon: Float = 0x1p-10

  private enum RowPart: String, CaseIterable {
    case normalizeRows, normalizeRowsGradient, sumRowProducts
  }

  private static func rows(_ part: RowPart, rows: Int, columns: Int) -> KernelCase {
    let count = rows * columns
    let matrices = part == .normalizeRowsGradient ? 3 : 2
    return KernelCase(
      group: .normalization, kernel: part.rawValue, shape: "\(rows)x\(columns)",
      bytes: 4 * matrices * count, footprint: 4 * matrices * count
    ) { kernels in
      let x = Operand<Float>(count, seed: 1)
      let dy = Operand<Float>(part == .normalizeRows ? 0 : count, seed: 2)
      let (gain, bias) = (Operand<Float>(columns, seed: 3), Operand<Float>(columns, seed: 4))
      let (means, scales) = (Operand<Float>(results: rows), Operand<Float>(results: rows))
      let y = Operand<Float>(results: count)
      let sums = Operand<Float>(results: columns)
      let (xs, ys) = (x.matrix(rows, columns), y.matrix(rows, columns))
      func forward() {
        kernels.normalizeRows(
          xs, epsilon: epsilon, gain: gain.base, bias: bias.base, into: ys, means: means.base,
          scales: scales.base)
      }
      let call: () -> Void
      switch part {
      case .normalizeRows: call = forward
      case .normalizeRowsGradient:
        forward()
        y.elements.update(repeating: .nan)
        call = {
          kernels.normalizeRowsGradient(
            xs, dy.matrix(rows, columns), means: means.base, scales: scales.base, gain: gain.base,
            into: ys)
        }
      case .sumRowProducts:
        forward()
        call = {
          kernels.sumRowProducts(
            xs, dy.matrix(rows, columns), means: means.base, scales: scales.base,
            over: ShardRows(undivided: rows), into: sums.base)
        }
      }
      /// The scale of row i, and its normalized elements.
      func normalized(_ i: Int) -> (scale: Double, z: [Double]) {
        let row = (0..<columns).map { Double(x.base[i * columns + $0]) }
        let mean = row.reduce(0, +) / Double(columns)
        let squares = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        let scale = 1 / (squares / Double(columns) + Double(epsilon)).squareRoot()
        return (scale, row.map { ($0 - mean) * scale })
      }
      let result = part == .sumRowProducts ? sums : y
      return PreparedKernel(
        call: call, count: result.count, result: { Double(result.base[$0]) }
      ) { index in
        let (i, j) = (index / columns, index % columns)
        switch part {
        case .normalizeRows:
          let term = normalized(i).z[j] * Double(gain.base[j])
          // No z is above 2.
          return Expected(term + Double(bias.base[j]), roundings: columns + 8, scale: 3)
        case .normalizeRowsGradient:
          let (scale, z) = normalized(i)
          let terms = (0..<columns).map { Double(dy.base[i * columns + $0] * gain.base[$0]) }
          let mean = terms.reduce(0, +) / Double(columns)
          let product = zip(terms, z).reduce(0) { $0 + $1.0 * $1.1 } / Double(columns)
          return Expected(
            scale * (terms[j] - mean - z[j] * product), roundings: columns + 16, scale: 6 * scale)
        case .sumRowProducts:
          let terms = (0..<rows).map { normalized($0).z[j] * Double(dy.base[$0 * columns + j]) }
          return Expected(
            terms.reduce(0, +), roundings: rows + columns + 8, scale: 2 * Double(rows))
        }
      }
    }
  }

  private enum ColumnPart: String, CaseIterable {
    case normalizeColumns, normalizeColumnsGradient, sumColumnSquares, sumColumnProducts
  }

  private static func columns(_ part: ColumnPart, rows: Int, columns: Int) -> KernelCase {
    let count = rows * columns
    let matrices =
      switch part {
      case .sumColumnSquares: 1
      case .normalizeColumns, .sumColumnProducts: 2
      case .normalizeColumnsGradient: 3
      }
    return KernelCase(
      group: .normalization, kernel: part.rawValue, shape: "\(rows)x\(columns)",
      bytes: 4 * matrices * count, footprint: 4 * matrices * count
    ) { kernels in
      let x = Operand<Float>(count, seed: 1)
      let dy = Operand<Float>(matrices == 1 ? 0 : count, seed: 2)
      let (gain, bias) = (Operand<Float>(columns, seed: 3), Operand<Float>(columns, seed: 4))
      let (means, scales) = (Operand<Float>(columns, seed: 5), Operand<Float>(columns, seed: 6))
      // Sums over all rows, whatever they are.
      let (dgain, dbias) = (Operand<Float>(columns, seed: 7), Operand<Float>(columns, seed: 8))
      let isSum = part == .sumColumnSquares || part == .sumColumnProducts
      let result = Operand<Float>(results: isSum ? columns : count)
      let (xs, all) = (x.matrix(rows, columns), ShardRows(undivided: rows))
      let call: () -> Void
      switch part {
      case .normalizeColumns:
        call = {
          kernels.normalizeColumns(
            xs, means: means.base, scales: scales.base, gain: gain.base, bias: bias.base,
            into: result.matrix(rows, columns))
        }
      case .normalizeColumnsGradient:
        call = {
          kernels.normalizeColumnsGradient(
            xs, dy.matrix(rows, columns), means: means.base, scales: scales.base, gain: gain.base,
            dgain: dgain.base, dbias: dbias.base, count: 4, into: result.matrix(rows, columns))
        }
      case .sumColumnSquares:
        call = { kernels.sumColumnSquares(xs, means: means.base, over: all, into: result.base) }
      case .sumColumnProducts:
        call = {
          kernels.sumColumnProducts(
            xs, dy.matrix(rows, columns), means: means.base, scales: scales.base, over: all,
            into: result.base)
        }
      }
      func deviation(_ i: Int, _ j: Int) -> Double {
        Double(x.base[i * columns + j]) - Double(means.base[j])
      }
      func z(_ i: Int, _ j: Int) -> Double { deviation(i, j) * Double(scales.base[j]) }
      return PreparedKernel(
        call: call, count: result.count, result: { Double(result.base[$0]) }
      ) { index in
        let (i, j) = (index / columns, index % columns)
        let factor = Double(gain.base[j])
        switch part {
        case .normalizeColumns:
          return Expected(z(i, j) * factor + Double(bias.base[j]), roundings: 8, scale: 3)
        case .normalizeColumnsGradient:
          let mean = (Double(dbias.base[j]) + z(i, j) * Double(dgain.base[j])) / 4
          return Expected(
            Double(scales.base[j]) * factor * (Double(dy.base[index]) - mean), roundings: 16,
            scale: 2)
        case .sumColumnSquares:
          let squares = (0..<rows).map { deviation($0, j) }.map { $0 * $0 }
          return Expected(squares.reduce(0, +), roundings: 128 + rows / 128 + 4)
        case .sumColumnProducts:
          let terms = (0..<rows).map { z($0, j) * Double(dy.base[$0 * columns + j]) }
          return Expected(
            terms.reduce(0, +), roundings: 128 + rows / 128 + 8,
            scale: terms.reduce(0) { $0 + abs($1) })
        }
      }
    }
  }
}
