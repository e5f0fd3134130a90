// Normalization to mean 0 and variance 1 (of the population: divided by the count), followed by a
// gain and a bias per column: y = z * gain + bias with z = (x - mean) * scale and
// scale = 1 / sqrt(variance + epsilon).
//
// Of rows: layer normalization. Mean and scale are found and used at once.
//
// Of columns: batch normalization. A column's mean and variance are those of the global batch, on
// all ranks: the caller adds up each sum over ranks before it goes on.
//
//     sumRows            -> sum over ranks -> means = sums / count
//     sumColumnSquares   -> sum over ranks -> scales(fromSquares:)
//     normalizeColumns
//                                             backward:
//     sumRows of dy, sumColumnProducts -> sum over ranks = the gradients of bias and gain
//     normalizeColumnsGradient
//
// Images are (rows * positions, channels) matrices, `ShardRows.scaled(by: positions)` their shards.

extension KernelSet {
  /// Normalizes every row (Ba, Kiros & Hinton, 2016). Writes each row's mean and scale for the
  /// gradient. `y` may be `x`.
  public func normalizeRows(
    _ x: Matrix, epsilon: Float, gain: UnsafePointer<Float>, bias: UnsafePointer<Float>,
    into y: Matrix, means: UnsafeMutablePointer<Float>, scales: UnsafeMutablePointer<Float>
  ) {
    precondition(x.rows == y.rows && x.columns == y.columns && epsilon >= 0)
    divide(
      rowsOf: x,
      (x: x, y: y, epsilon: epsilon, gain: gain, bias: bias, means: means, scales: scales)
    ) { kernels, o, rows in
      let (x, first) = (o.x.rows(rows), rows.lowerBound)
      kernels.table.normalization.normalizeRows(
        x.rows, x.columns, o.epsilon, x.base, o.gain, o.bias, o.y.row(first), o.means + first,
        o.scales + first)
    }
  }

  /// The gradient by the rows that were normalized; `dx` may be `dy`.
  public func normalizeRowsGradient(
    _ x: Matrix, _ dy: Matrix, means: UnsafePointer<Float>, scales: UnsafePointer<Float>,
    gain: UnsafePointer<Float>, into dx: Matrix
  ) {
    precondition(x.rows == dy.rows && x.columns == dy.columns)
    precondition(x.rows == dx.rows && x.columns == dx.columns)
    divide(rowsOf: x, (x: x, dy: dy, dx: dx, means: means, scales: scales, gain: gain)) {
      kernels, o, rows in
      let (x, first) = (o.x.rows(rows), rows.lowerBound)
      kernels.table.normalization.normalizeRowsGradient(
        x.rows, x.columns, x.base, o.dy.row(first), o.means + first, o.scales + first, o.gain,
        o.dx.row(first))
    }
  }

  /// sums[j] = the sum of dy[i][j] z[i][j] over the shard tree, for normalized rows: the gradient by
  /// the gain. (That by the bias is `sumRows` of dy.)
  public func sumRowProducts(
    _ x: Matrix, _ dy: Matrix, means: UnsafePointer<Float>, scales: UnsafePointer<Float>,
    over shards: ShardRows, into sums: UnsafeMutablePointer<Float>
  ) {
    precondition(x.rows == dy.rows && x.columns == dy.columns)
    sumColumns(x, over: shards, into: sums, (dy: dy, means: means, scales: scales)) {
      kernels, x, first, o, sums in
      kernels.table.normalization.sumRowProducts(
        x.rows, x.columns, x.base, o.dy.row(first), o.means + first, o.scales + first, sums)
    }
  }

  /// sums[j] = the sum of (x[i][j] - means[j])^2 over the shard tree.
  public func sumColumnSquares(
    _ x: Matrix, means: UnsafePointer<Float>, over shards: ShardRows,
    into sums: UnsafeMutablePointer<Float>
  ) {
    sumColumns(x, over: shards, into: sums, means) { kernels, x, _, means, sums in
      kernels.table.normalization.sumColumnSquares(x.rows, x.columns, x.base, means, sums)
    }
  }

  /// scales[j] = 1 / sqrt(squares[j] / count + epsilon), for sums of squares of `count` rows.
  public func scales(
    fromSquares squares: UnsafePointer<Float>, columns: Int, count: Int, epsilon: Float,
    into scales: UnsafeMutablePointer<Float>
  ) {
    precondition(count > 0 && epsilon >= 0)
    for j in 0..<columns { scales[j] = 1 / (squares[j] / Float(count) + epsilon).squareRoot() }
  }

  /// Normalizes every column with the means and scales given. `y` may be `x`.
  public func normalizeColumns(
    _ x: Matrix, means: UnsafePointer<Float>, scales: UnsafePointer<Float>,
    gain: UnsafePointer<Float>, bias: UnsafePointer<Float>, into y: Matrix
  ) {
    precondition(x.rows == y.rows && x.columns == y.columns)
    divide(rowsOf: x, (x: x, y: y, means: means, scales: scales, gain: gain, bias: bias)) {
      kernels, o, rows in
      let x = o.x.rows(rows)
      kernels.table.normalization.normalizeColumns(
        x.rows, x.columns, x.base, o.means, o.scales, o.gain, o.bias, o.y.row(rows.lowerBound))
    }
  }

  /// The gradient by the columns that were normalized, whose means and scales are those of `count`
  /// rows, on all ranks; `dgain` and `dbias` are sums over these. `dx` may be `dy`.
  public func normalizeColumnsGradient(
    _ x: Matrix, _ dy: Matrix, means: UnsafePointer<Float>, scales: UnsafePointer<Float>,
    gain: UnsafePointer<Float>, dgain: UnsafePointer<Float>, dbias: UnsafePointer<Float>,
    count: Int, into dx: Matrix
  ) {
    precondition(x.rows == dy.rows && x.columns == dy.columns && count > 0)
    precondition(x.rows == dx.rows && x.columns == dx.columns)
    divide(
      rowsOf: x,
      (
        x: x, dy: dy, dx: dx, means: means, scales: scales, gain: gain, dgain: dgain, dbias: dbias,
        count: count
      )
    ) { kernels, o, rows in
      let (x, first) = (o.x.rows(rows), rows.lowerBound)
      kernels.table.normalization.normalizeColumnsGradient(
        x.rows, x.columns, o.count, x.base, o.dy.row(first), o.means, o.scales, o.gain, o.dgain,
        o.dbias, o.dx.row(first))
    }
  }

  /// sums[j] = the sum of dy[i][j] z[i][j] over the shard tree, for normalized columns: the gradient
  /// by the gain. (That by the bias is `sumRows` of dy.)
  public func sumColumnProducts(
    _ x: Matrix, _ dy: Matrix, means: UnsafePointer<Float>, scales: UnsafePointer<Float>,
    over shards: ShardRows, into sums: UnsafeMutablePointer<Float>
  ) {
    precondition(x.rows == dy.rows && x.columns == dy.columns)
    sumColumns(x, over: shards, into: sums, (dy: dy, means: means, scales: scales)) {
      kernels, x, first, o, sums in
      kernels.table.normalization.sumColumnProducts(
        x.rows, x.columns, x.base, o.dy.row(first), o.means, o.scales, sums)
    }
  }
}
