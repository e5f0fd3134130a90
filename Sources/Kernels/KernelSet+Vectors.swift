// Vector operations: checked views in, one kernel call.

extension KernelSet {
  /// y += x
  public func add(_ x: UnsafeBufferPointer<Float>, to y: UnsafeMutableBufferPointer<Float>) {
    precondition(x.count == y.count)
    guard let source = x.baseAddress, let target = y.baseAddress else { return }
    divide(elements: x.count, (x: source, y: target)) { kernels, o, part in
      kernels.table.add(part.count, o.x + part.lowerBound, o.y + part.lowerBound)
    }
  }

  /// y *= factor
  public func scale(_ y: UnsafeMutableBufferPointer<Float>, by factor: Float) {
    guard let base = y.baseAddress else { return }
    divide(elements: y.count, (y: base, factor: factor)) { kernels, o, part in
      kernels.table.scale(part.count, o.factor, o.y + part.lowerBound)
    }
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
  /// 128, then the blocks; of up to 16 columns and 256 rows or more, every 32nd row so, then these
  /// sums.
  public func sumRows(_ x: Matrix, over shards: ShardRows, into sums: UnsafeMutablePointer<Float>) {
    sumColumns(x, over: shards, into: sums, ()) { kernels, x, _, _, sums in
      kernels.table.sumRows(x.rows, x.columns, x.base, sums)
    }
  }

  /// Sums of `x`'s columns over the shard tree.
  /// - Parameter leaf: writes the sums of a shard, whose rows of `x` it is given and the number of the
  ///   first of them; it must not capture anything.
  func sumColumns<Operands>(
    _ x: Matrix, over shards: ShardRows, into sums: UnsafeMutablePointer<Float>,
    _ operands: Operands,
    leaf:
      @escaping (
        _ kernels: KernelSet, _ rows: Matrix, _ first: Int, _ operands: Operands,
        _ sums: UnsafeMutablePointer<Float>
      ) -> Void
  ) {
    precondition(shards.rows == x.rows)
    sumSubtrees(
      of: shards, threads: threads(for: x.count, grain: Grain.elements), width: x.columns,
      into: sums,
      ColumnSums(x: x, operands: operands, leaf: leaf)
    ) { $1.run($0, over: $2, firstRow: $3, into: $4) }
  }

  /// The sum of one float per row, over the shard tree.
  public func sum(
    _ x: UnsafePointer<Float>, over shards: ShardRows, into y: UnsafeMutablePointer<Float>
  ) {
    shards.forEachPlane { part, firstRow, offset in
      var sum = ShardSum(width: 1, shards: part, kernels: self)
      for shard in 0..<part.count {
        sum.leaf.pointee = 0
        for row in part.rows(of: shard) { sum.leaf.pointee += x[firstRow + row] }
        sum.push(shard: part.first + shard)
      }
      y[offset] = sum.finish().pointee
    }
  }
}

private struct ColumnSums<Operands> {
  let x: Matrix
  let operands: Operands
  let leaf: (KernelSet, Matrix, Int, Operands, UnsafeMutablePointer<Float>) -> Void

  func run(
    _ kernels: KernelSet, over shards: ShardRows, firstRow: Int,
    into sums: UnsafeMutablePointer<Float>
  ) {
    var sum = ShardSum(width: x.columns, shards: shards, kernels: kernels)
    for shard in 0..<shards.count {
      let rows = shards.rows(of: shard)
      let first = firstRow + rows.lowerBound
      leaf(kernels, x.rows(first..<first + rows.count), first, operands, sum.leaf)
      sum.push(shard: shards.first + shard)
    }
    sums.update(from: sum.finish(), count: x.columns)
  }
}
