import Foundation
import Testing

@testable import Kernels

/// Normalization against Double. In the bounds, n is the number of terms of a sum and u = 2^-24; a
/// sum of n terms is good to n u of the sum of their magnitudes.
struct NormalizationTests {
  private let epsilon: Float = 1e-5

  /// Two shapes for each size: few rows of it, and as many with few columns; with an offset that
  /// makes the mean large beside the deviations.
  static let shapes = sizes.filter { $0 > 0 }.flatMap { [(3, $0), ($0, 3)] }

  @Test(
    "rows get mean 0 and variance 1, then gain and bias", arguments: InstructionSet.supported,
    shapes)
  func rows(instructions: InstructionSet, shape: (rows: Int, columns: Int)) {
    let kernels = KernelSet(instructions)
    let (rows, columns) = shape
    let (gain, bias) = (randomValues(columns, 1), randomValues(columns, 2))
    for offset: Float in [0, 10] {
      var x = Grid(rows: rows, columns: columns, random: 3)
      x.values = x.values.map { $0 + offset }
      let (y, means, scales) = kernels.normalizeRows(x, epsilon, gain, bias)
      for i in 0..<rows {
        let row = x.part(i..<i + 1).values.map(Double.init)
        let mean = row.reduce(0, +) / Double(columns)
        let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(columns)
        let scale = 1 / (variance + Double(epsilon)).squareRoot()
        // The mean's error counts in the variance with its square: deviations add up to 0.
        let n = Double(columns)
        let meanError =
          (n + 2) * unitRoundoff * row.reduce(0) { $0 + $1.magnitude } / Double(columns)
        let varianceError = (n + 6) * unitRoundoff * variance + 2 * meanError * meanError
        let scaleError = varianceError * scale * scale / 2 + 3 * unitRoundoff
        #expect((Double(means[i]) - mean).magnitude <= meanError)
        #expect((Double(scales[i]) - scale).magnitude <= scaleError * scale)
        for j in 0..<columns {
          let z = (row[j] - mean) * scale
          let exact = z * Double(gain[j]) + Double(bias[j])
          let zError = z.magnitude * (scaleError + 4 * unitRoundoff) + 1.01 * scale * meanError
          let bound =
            Double(gain[j].magnitude) * zError
            + 2 * unitRoundoff * (exact.magnitude + Double(bias[j].magnitude))
          #expect((Double(y.values[i * columns + j]) - exact).magnitude <= bound)
        }
      }
    }
  }

  /// The gradient by Double's formula, from x, means and scales as they are given.
  private func rowGradient(
    _ x: [Double], _ dy: [Double], _ gain: [Double], mean: Double, scale: Double
  ) -> (dx: [Double], sizes: [Double]) {
    let n = Double(x.count)
    let z = x.map { ($0 - mean) * scale }
    let g = zip(dy, gain).map { $0 * $1 }
    let products = zip(g, z).map { $0 * $1 }
    let (mean1, mean2) = (g.reduce(0, +) / n, products.reduce(0, +) / n)
    let size1 = g.reduce(0) { $0 + $1.magnitude } / n
    let size2 = products.reduce(0) { $0 + $1.magnitude } / n
    return (
      x.indices.map { scale * (g[$0] - mean1 - z[$0] * mean2) },
      // The means are good to n + 2 and n + 5 u; differences and products round.
      x.indices.map {
        scale
          * ((n + 6) * size1 + z[$0].magnitude * (n + 12) * size2 + 4 * g[$0].magnitude)
      }
    )
  }

  @Test(
    "the gradient by rows is that of Double", arguments: InstructionSet.supported, shapes)
  func rowsGradient(instructions: InstructionSet, shape: (rows: Int, columns: Int)) {
    let kernels = KernelSet(instructions)
    let (rows, columns) = shape
    let x = Grid(rows: rows, columns: columns, random: 3)
    let dy = Grid(rows: rows, columns: columns, random: 4)
    let gain = randomValues(columns, 1)
    let (_, means, scales) = kernels.normalizeRows(x, epsilon, gain, gain)
    let dx = x.read { x in
      dy.read { dy in
        Grid(rows: rows, columns: columns) {
          kernels.normalizeRowsGradient(x, dy, means: means, scales: scales, gain: gain, into: $0)
        }
      }
    }
    for i in 0..<rows {
      let (exact, sizes) = rowGradient(
        x.part(i..<i + 1).values.map(Double.init), dy.part(i..<i + 1).values.map(Double.init),
        gain.map(Double.init), mean: Double(means[i]), scale: Double(scales[i]))
      for j in 0..<columns {
        let error = (Double(dx.values[i * columns + j]) - exact[j]).magnitude
        #expect(error <= 1.01 * unitRoundoff * sizes[j], "row \(i), column \(j)")
      }
    }
    // dx may be dy, and y may be x.
    let inPlace = x.read { x in
      Grid(rows: rows, columns: columns) {
        $0.fill(dy)
        kernels.normalizeRowsGradient(x, $0, means: means, scales: scales, gain: gain, into: $0)
      }
    }
    #expect(inPlace.bits == dx.bits)
    let y = kernels.normalizeRows(x, epsilon, gain, gain).y
    let over = Grid(rows: rows, columns: columns) {
      $0.fill(x)
      var (means, scales) = (means, scales)
      kernels.normalizeRows(
        $0, epsilon: epsilon, gain: gain, bias: gain, into: $0, means: &means, scales: &scales)
    }
    #expect(over.bits == y.bits)
  }

  /// Central differences in Double: off by h^2 and by rounding over h.
  @Test("the formula of the gradient by rows is the derivative")
  func rowsDerivative() {
    let (n, h) = (7, 1e-5)
    let x = randomValues(n, 1).map(Double.init)
    let dy = randomValues(n, 2).map(Double.init)
    let gain = randomValues(n, 3).map(Double.init)
    func moments(_ x: [Double]) -> (mean: Double, scale: Double) {
      let mean = x.reduce(0, +) / Double(n)
      let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(n)
      return (mean, 1 / (variance + 1e-5).squareRoot())
    }
    func value(_ x: [Double]) -> Double {
      let (mean, scale) = moments(x)
      return x.indices.reduce(0) { $0 + dy[$1] * gain[$1] * (x[$1] - mean) * scale }
    }
    let (mean, scale) = moments(x)
    let gradient = rowGradient(x, dy, gain, mean: mean, scale: scale).dx
    for j in 0..<n {
      var (above, below) = (x, x)
      above[j] += h
      below[j] -= h
      #expect(((value(above) - value(below)) / (2 * h) - gradient[j]).magnitude < 1e-8)
    }
  }

  @Test(
    "a row has the same bits in any batch, and NaN stays in its row",
    arguments: InstructionSet.supported, [1, 10, 16, 77])
  func rowIndependence(instructions: InstructionSet, columns: Int) {
    let kernels = KernelSet(instructions)
    let gain = randomValues(columns, 1)
    var x = Grid(rows: 5, columns: columns, random: 2)
    let whole = kernels.normalizeRows(x, epsilon, gain, gain)
    for i in 0..<5 {
      let one = kernels.normalizeRows(x.part(i..<i + 1), epsilon, gain, gain)
      #expect(one.y.bits == whole.y.part(i..<i + 1).bits)
      #expect(one.means == [whole.means[i]] && one.scales == [whole.scales[i]])
    }
    for value in [Float.nan, .infinity] {
      x.values[2 * columns] = value
      let y = kernels.normalizeRows(x, epsilon, gain, gain).y
      #expect(y.part(2..<3).isAllNaN)
      #expect(y.part(0..<2).bits == whole.y.part(0..<2).bits)
      #expect(y.part(3..<5).bits == whole.y.part(3..<5).bits)
    }
  }

  @Test("rows without deviation become the bias", arguments: InstructionSet.supported)
  func constantRows(instructions: InstructionSet) {
    let kernels = KernelSet(instructions)
    // 64 times 3 adds up exactly, and 1/64 is a power of two.
    let x = Grid(rows: 1, columns: 64, [Float](repeating: 3, count: 64))
    let (gain, bias) = (randomValues(64, 1), randomValues(64, 2))
    let (y, means, scales) = kernels.normalizeRows(x, 0x1p-10, gain, bias)
    #expect(y.values == bias && means == [3] && scales == [32])
  }

  /// Sums of `rows` terms in blocks of 128: each is good to a block's terms and the number of blocks.
  private func sumError(_ rows: Int) -> Double { Double(min(rows, 128) + rows / 128 + 1) }

  @Test(
    "sums over rows and over columns are those of Double", arguments: InstructionSet.supported,
    shapes + [(5000, 17)])
  func sums(instructions: InstructionSet, shape: (rows: Int, columns: Int)) {
    let kernels = KernelSet(instructions)
    let (rows, columns) = shape
    let x = Grid(rows: rows, columns: columns, random: 1)
    let dy = Grid(rows: rows, columns: columns, random: 2)
    let (rowMeans, rowScales) = (randomValues(rows, 3), randomValues(rows, 4))
    let (means, scales) = (randomValues(columns, 5), randomValues(columns, 6))
    for kind in ColumnSum.allCases {
      let sums = kind(x, dy, rowMeans, rowScales, means, scales, undivided: rows, kernels)
      for j in 0..<columns {
        let terms = (0..<rows).map { i -> Double in
          let (value, slope) = (
            Double(x.values[i * columns + j]), Double(dy.values[i * columns + j])
          )
          switch kind {
          case .plain: return value
          case .squares: return (value - Double(means[j])) * (value - Double(means[j]))
          case .columnProducts: return slope * (value - Double(means[j])) * Double(scales[j])
          case .rowProducts: return slope * (value - Double(rowMeans[i])) * Double(rowScales[i])
          }
        }
        // A term has three roundings.
        let size = terms.reduce(0) { $0 + $1.magnitude }
        let error = (Double(sums.values[j]) - terms.reduce(0, +)).magnitude
        #expect(error <= (sumError(rows) + 3) * unitRoundoff * size, "\(kind), column \(j)")
      }
    }
  }

  enum ColumnSum: CaseIterable {
    case plain, squares, columnProducts, rowProducts

    func callAsFunction(
      _ x: Grid, _ dy: Grid, _ rowMeans: [Float], _ rowScales: [Float], _ means: [Float],
      _ scales: [Float], over shards: ShardRows, _ kernels: KernelSet
    ) -> Grid {
      x.read { x in
        dy.read { dy in
          Grid(rows: 1, columns: x.columns) { sums in
            switch self {
            case .plain: kernels.sumRows(x, over: shards, into: sums.base)
            case .squares:
              kernels.sumColumnSquares(x, means: means, over: shards, into: sums.base)
            case .columnProducts:
              kernels.sumColumnProducts(
                x, dy, means: means, scales: scales, over: shards, into: sums.base)
            case .rowProducts:
              kernels.sumRowProducts(
                x, dy, means: rowMeans, scales: rowScales, over: shards, into: sums.base)
            }
          }
        }
      }
    }

    func callAsFunction(
      _ x: Grid, _ dy: Grid, _ rowMeans: [Float], _ rowScales: [Float], _ means: [Float],
      _ scales: [Float], undivided rows: Int, _ kernels: KernelSet
    ) -> Grid {
      self(
        x, dy, rowMeans, rowScales, means, scales, over: ShardRows(undivided: rows), kernels)
    }
  }

  @Test(
    "1, 2, 4 and 8 ranks have the sums of one rank to the last bit",
    arguments: ColumnSum.allCases, [64, 61, 5, 2500].map { ShardedBatch(rows: $0, shards: 8) })
  func ranks(sum: ColumnSum, batch: ShardedBatch) {
    for kernels in InstructionSet.supported.map(KernelSet.init) {
      let x = Grid(rows: batch.rows, columns: 19, cancelling: 1)
      let dy = Grid(rows: batch.rows, columns: 19, cancelling: 2)
      let (rowMeans, rowScales) = (randomValues(batch.rows, 3), randomValues(batch.rows, 4))
      let (means, scales) = (randomValues(19, 5), randomValues(19, 6))
      func sums(_ rows: Range<Int>, _ shards: ShardRows) -> Grid {
        sum(
          x.part(rows), dy.part(rows), Array(rowMeans[rows]), Array(rowScales[rows]), means, scales,
          over: shards, kernels)
      }
      let leaves = (0..<8).map { shard in
        let rows = batch.rows(ofShard: shard)
        return sums(rows, ShardRows(undivided: rows.count))
      }
      let expected = ShardTree.sum(leaves[...])
      for ranks in [1, 2, 4, 8] {
        let parts = batch.runs(ranks: ranks).map { run in
          let (rows, shards) = batch.run(run)
          return sums(rows, shards)
        }
        #expect(ShardTree.combine(parts).bits == expected.bits, "\(ranks) ranks")
      }
    }
  }

  @Test(
    "columns are normalized with what is given, and so is their gradient",
    arguments: InstructionSet.supported, shapes)
  func columns(instructions: InstructionSet, shape: (rows: Int, columns: Int)) {
    let kernels = KernelSet(instructions)
    let (rows, columns) = shape
    let x = Grid(rows: rows, columns: columns, random: 1)
    let dy = Grid(rows: rows, columns: columns, random: 2)
    let p = (3...8).map { randomValues(columns, $0) }
    let (means, scales, gain, bias, dgain, dbias) = (p[0], p[1], p[2], p[3], p[4], p[5])
    let count = 3 * rows
    func normalize(_ x: Matrix, _ y: Matrix) {
      kernels.normalizeColumns(x, means: means, scales: scales, gain: gain, bias: bias, into: y)
    }
    func gradient(_ x: Matrix, _ dy: Matrix, _ dx: Matrix) {
      kernels.normalizeColumnsGradient(
        x, dy, means: means, scales: scales, gain: gain, dgain: dgain, dbias: dbias, count: count,
        into: dx)
    }
    let y = x.read { x in Grid(rows: rows, columns: columns) { normalize(x, $0) } }
    let dx = x.read { x in
      dy.read { dy in Grid(rows: rows, columns: columns) { gradient(x, dy, $0) } }
    }
    for k in x.values.indices {
      let j = k % columns
      let z = (Double(x.values[k]) - Double(means[j])) * Double(scales[j])
      let scaled = z * Double(gain[j])
      let exact = scaled + Double(bias[j])
      // Difference and two products; the sum.
      let bound = 3.01 * scaled.magnitude + exact.magnitude
      #expect((Double(y.values[k]) - exact).magnitude <= bound * unitRoundoff)

      let shared = [Double(dbias[j]), z * Double(dgain[j])].map { $0 / Double(count) }
      let factor = Double(gain[j]) * Double(scales[j])
      let slope = (Double(dy.values[k]) - shared[0] - shared[1]) * factor
      // z twice, its product and sum, the share's rounding and product, the difference, and the
      // two products of the factor.
      let sizes = Double(dy.values[k].magnitude) + shared[0].magnitude + shared[1].magnitude
      let error = (Double(dx.values[k]) - slope).magnitude
      #expect(error <= 9 * unitRoundoff * sizes * factor.magnitude)
    }
    // In place.
    let overX = Grid(rows: rows, columns: columns) {
      $0.fill(x)
      normalize($0, $0)
    }
    let overGradient = x.read { x in
      Grid(rows: rows, columns: columns) {
        $0.fill(dy)
        gradient(x, $0, $0)
      }
    }
    #expect(overX.bits == y.bits && overGradient.bits == dx.bits)
  }

  /// The whole of batch normalization on two ranks, against central differences in Double. With
  /// values of about 1, sums of 24 terms and scales below 3, no step is off by more than 100 u.
  @Test(
    "batch normalization over two ranks has the derivative of one",
    arguments: InstructionSet.supported)
  func batchNormalization(instructions: InstructionSet) {
    let kernels = KernelSet(instructions)
    let (rows, columns) = (24, 5)
    let x = Grid(rows: rows, columns: columns, random: 1)
    let dy = Grid(rows: rows, columns: columns, random: 2)
    let (gain, bias) = (randomValues(columns, 3), randomValues(columns, 4))
    let halves = [0..<12, 12..<24]
    func overRanks(_ sums: (Range<Int>, UnsafeMutablePointer<Float>) -> Void) -> [Float] {
      let parts = halves.map { half in
        Grid(rows: 1, columns: columns) { sums(half, $0.base) }
      }
      return (parts[0] + parts[1]).values
    }
    func shards(_ half: Range<Int>) -> ShardRows { ShardRows(undivided: half.count) }
    let means = overRanks { half, sums in
      x.part(half).read { kernels.sumRows($0, over: shards(half), into: sums) }
    }.map { $0 / Float(rows) }
    let squares = overRanks { half, sums in
      x.part(half).read {
        kernels.sumColumnSquares($0, means: means, over: shards(half), into: sums)
      }
    }
    var scales = [Float](repeating: 0, count: columns)
    kernels.scales(
      fromSquares: squares, columns: columns, count: rows, epsilon: epsilon, into: &scales)
    let dbias = overRanks { half, sums in
      dy.part(half).read { kernels.sumRows($0, over: shards(half), into: sums) }
    }
    let dgain = overRanks { half, sums in
      x.part(half).read { x in
        dy.part(half).read { dy in
          kernels.sumColumnProducts(
            x, dy, means: means, scales: scales, over: shards(half), into: sums)
        }
      }
    }
    let dx = halves.flatMap { half in
      x.part(half).read { x in
        dy.part(half).read { dy in
          Grid(rows: half.count, columns: columns) {
            kernels.normalizeColumnsGradient(
              x, dy, means: means, scales: scales, gain: gain, dgain: dgain, dbias: dbias,
              count: rows, into: $0)
          }
        }
      }.values
    }
    /// The sum of dy y, from all of x, gain and bias.
    func value(_ x: [Double], _ gain: [Double], _ bias: [Double]) -> Double {
      (0..<columns).reduce(0) { total, j in
        let column = (0..<rows).map { x[$0 * columns + j] }
        let mean = column.reduce(0, +) / Double(rows)
        let variance = column.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(rows)
        let scale = 1 / (variance + Double(epsilon)).squareRoot()
        return (0..<rows).reduce(total) {
          $0 + Double(dy.values[$1 * columns + j])
            * ((column[$1] - mean) * scale * gain[j] + bias[j])
        }
      }
    }
    let h = 1e-5
    let point = [x.values, gain, bias].map { $0.map(Double.init) }
    for (which, gradient) in [dx, dgain, dbias].enumerated() {
      for k in gradient.indices {
        var (above, below) = (point, point)
        above[which][k] += h
        below[which][k] -= h
        let slope =
          (value(above[0], above[1], above[2]) - value(below[0], below[1], below[2])) / (2 * h)
        #expect((Double(gradient[k]) - slope).magnitude <= 100 * unitRoundoff * 3)
      }
    }
  }
}

extension KernelSet {
  fileprivate func normalizeRows(
    _ x: Grid, _ epsilon: Float, _ gain: [Float], _ bias: [Float]
  ) -> (y: Grid, means: [Float], scales: [Float]) {
    var means = [Float](repeating: .nan, count: x.rows)
    var scales = means
    let y = x.read { x in
      Grid(rows: x.rows, columns: x.columns) {
        self.normalizeRows(
          x, epsilon: epsilon, gain: gain, bias: bias, into: $0, means: &means, scales: &scales)
      }
    }
    return (y, means, scales)
  }
}
