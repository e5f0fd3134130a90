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

  /// sums[j] = the sum of column j of `x`, over the shard tree. A shard's rows are added in blocks of
  /// 128, then the blocks.
  public func sumRows(_ x: Matrix, over shards: ShardRows, into sums: UnsafeMutablePointer<Float>) {
    sumColumns(x, over: shards, into: sums) { rows, leaf in
      table.sumRows(rows.count, x.columns, x.row(rows.lowerBound), leaf)
    }
  }

  /// Sums of `x`'s columns over the shard tree, from what `leaf` writes for a shard's rows.
  func sumColumns(
    _ x: Matrix, over shards: ShardRows, into sums: UnsafeMutablePointer<Float>,
    leaf: (_ rows: Range<Int>, _ sums: UnsafeMutablePointer<Float>) -> Void
  ) {
    precondition(shards.rows == x.rows)
    var sum = ShardSum(width: x.columns, shards: shards, kernels: self)
    for shard in 0..<shards.count {
      leaf(shards.rows(of: shard), sum.leaf)
      sum.push(shard: shards.first + shard)
    }
    sums.update(from: sum.finish(), count: x.columns)
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
