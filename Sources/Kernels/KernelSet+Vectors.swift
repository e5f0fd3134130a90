// Vector operations: checked views in, one kernel call.

extension KernelSet {
  /// y += x
  public func add(_ x: UnsafeBufferPointer<Float>, to y: UnsafeMutableBufferPointer<Float>) {
    precondition(x.count == y.count)
    guard let source = x.baseAddress, let target = y.baseAddress else { return }
    table.add(x.count, source, target)
  }

  /// y *= factor
  public func scale(_ y: UnsafeMutableBufferPointer<Float>, by factor: Float) {
    guard let base = y.baseAddress else { return }
    table.scale(y.count, factor, base)
  }

  /// y = x * factor, bytes to floats.
  public func convert(
    _ x: UnsafeBufferPointer<UInt8>, factor: Float, into y: UnsafeMutablePointer<Float>
  ) {
    guard let base = x.baseAddress else { return }
    table.convertBytes(x.count, base, factor, y)
  }

  /// Adds `bias` (one float a column) to every row of `y`.
  public func addBias(_ bias: UnsafePointer<Float>, to y: Matrix) {
    table.addBias(y.rows, y.columns, bias, y.base)
  }

  /// sums[j] = the sum of column j of `x`, over the shard tree.
  public func sumRows(_ x: Matrix, over shards: ShardRows, into sums: UnsafeMutablePointer<Float>) {
    precondition(shards.rows == x.rows)
    var sum = ShardSum(width: x.columns, shards: shards, kernels: self)
    for shard in 0..<shards.count {
      let rows = shards.rows(of: shard)
      table.sumRows(rows.count, x.columns, x.row(rows.lowerBound), sum.leaf)
      sum.push(shard: shards.first + shard)
    }
    sums.update(from: sum.finish(), count: x.columns)
  }

  /// y = max(x, 0), elementwise; NaN stays NaN.
  public func relu(_ x: Matrix, into y: Matrix) {
    precondition(x.count == y.count)
    table.relu(x.count, x.base, y.base)
  }

  /// dx = dy where y > 0, else 0.
  public func reluGradient(_ y: Matrix, _ dy: Matrix, into dx: Matrix) {
    precondition(y.count == dy.count && y.count == dx.count)
    table.reluGradient(y.count, y.base, dy.base, dx.base)
  }

  /// Rows of `y` become the softmax of rows of `x`; they may be the same.
  public func softmax(_ x: Matrix, into y: Matrix) {
    precondition(x.rows == y.rows && x.columns == y.columns)
    table.softmax(x.rows, x.columns, x.base, y.base)
  }

  /// losses[i] = -log softmax(x[i])[labels[i]] and dx = softmax(x) - onehot(labels).
  /// - Precondition: every label is in 0..<x.columns.
  public func softmaxCrossEntropy(
    _ x: Matrix, labels: UnsafePointer<Int32>, losses: UnsafeMutablePointer<Float>, into dx: Matrix
  ) {
    precondition(x.rows == dx.rows && x.columns == dx.columns)
    for i in 0..<x.rows { precondition(labels[i] >= 0 && labels[i] < x.columns) }
    table.softmaxCrossEntropy(x.rows, x.columns, x.base, labels, losses, dx.base)
  }

  /// losses[i] = mean of (x[i] - targets[i])^2 over columns and dx = 2 (x - targets) / columns.
  public func squaredError(
    _ x: Matrix, targets: UnsafePointer<Float>, losses: UnsafeMutablePointer<Float>, into dx: Matrix
  ) {
    precondition(x.rows == dx.rows && x.columns == dx.columns)
    table.squaredError(x.rows, x.columns, x.base, targets, losses, dx.base)
  }

  /// The sum of one float per row, over the shard tree.
  public func sum(_ x: UnsafePointer<Float>, over shards: ShardRows) -> Float {
    var sum = ShardSum(width: 1, shards: shards, kernels: self)
    for shard in 0..<shards.count {
      sum.leaf.pointee = 0
      for row in shards.rows(of: shard) { sum.leaf.pointee += x[row] }
      sum.push(shard: shards.first + shard)
    }
    return sum.finish().pointee
  }
}
