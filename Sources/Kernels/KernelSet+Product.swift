import CKernels

// The three matrix products of a dense layer.
//
// An element of a product is one chain of multiply-adds from its start on, in the order of the
// depth: its bits depend on its operands only, not on the rows beside it, the threads, or the
// blocks. Where multiply-adds are fused, they do not depend on the instruction set either.

extension KernelSet {
  /// y = finish(start + x w): (m, k) times (k, n) gives (m, n).
  public func product(
    _ x: Matrix, _ w: Matrix, into y: Matrix, from start: SumStart = .zero,
    then finish: SumFinish = .none
  ) {
    precondition(x.columns == w.rows && y.rows == x.rows && y.columns == w.columns)
    multiply(
      .rows(x.base, stride: x.columns), .rows(w.base, stride: w.columns), depth: x.columns,
      into: y, start, finish)
  }

  /// y = finish(start + x w), for a `w` that has been packed.
  public func product(
    _ x: Matrix, _ w: PackedMatrix, into y: Matrix, from start: SumStart = .zero,
    then finish: SumFinish = .none
  ) {
    precondition(x.columns == w.depth && y.rows == x.rows && y.columns == w.columns)
    multiply(
      .rows(x.base, stride: x.columns), .packed(w), depth: x.columns, into: y, start, finish)
  }

  /// y = finish(start + x w), for an `x` that is written block by block.
  public func product(
    _ x: any LeftSource, _ w: PackedMatrix, into y: Matrix, from start: SumStart = .zero,
    then finish: SumFinish = .none
  ) {
    precondition(x.depth == w.depth && y.rows == x.rows && y.columns == w.columns)
    multiply(.source(x), .packed(w), depth: x.depth, into: y, start, finish)
  }

  /// dx = finish(start + dy w^T): (m, n) times the transpose of (k, n) gives (m, k).
  public func productWithTranspose(
    _ dy: Matrix, _ w: Matrix, into dx: Matrix, from start: SumStart = .zero,
    then finish: SumFinish = .none
  ) {
    precondition(dy.columns == w.columns && dx.rows == dy.rows && dx.columns == w.rows)
    multiply(
      .rows(dy.base, stride: dy.columns), .columns(w.base, stride: w.columns), depth: dy.columns,
      into: dx, start, finish)
  }

  private func multiply(
    _ left: LeftOperand, _ right: RightOperand, depth: Int, into c: Matrix, _ start: SumStart,
    _ finish: SumFinish
  ) {
    if case .packed(let matrix) = right { precondition(matrix.instructions == instructions) }
    if case .reluGradient(let y) = finish {
      precondition(y.rows == c.rows && y.columns == c.columns)
    }
    let product = BlockedProduct(
      kernels: self, left: left, right: right, depth: depth, c: c, start: start, finish: finish)
    // What writes a left source may have memory for one thread.
    if case .source = left { return product.run() }
    let parts = parts(of: c, depth: depth)
    guard parts.count > 1 else { return product.run() }
    run(EvenBlocks(of: parts.count, limit: 1), (product: product, parts: parts)) {
      kernels, o, part in
      let (rows, columns) = o.parts[part.lowerBound]
      var product = o.product.rows(rows)
      product.kernels = kernels
      product.run(columns: columns)
    }
  }

  private func parts(of c: Matrix, depth: Int) -> ProductParts {
    ProductParts(
      rows: c.rows, columns: c.columns, tileColumns: table.products.tileColumns,
      threads: threads(for: c.count * depth, grain: Grain.multiplyAdds))
  }

  /// dw = x^T dy, or dw += x^T dy: the transpose of (m, k) times (m, n) gives (k, n), summed over
  /// the m rows shard by shard along the shard tree. The tree costs little: it is summed tile by
  /// tile, in registers and the first-level cache.
  /// - Precondition: what is added to is in one plane.
  public func productOfTranspose(
    _ x: Matrix, _ dy: Matrix, over shards: ShardRows, into dw: Matrix, accumulate: Bool = false
  ) {
    precondition(x.rows == dy.rows && dw.rows == x.columns && dw.columns == dy.columns)
    precondition(shards.rows == x.rows && shards.count > 0)
    precondition(!accumulate || shards.planeCount == 1)
    shards.forEachPlane { part, firstRow, offset in
      let rows = firstRow..<firstRow + part.rows
      sum(
        x.rows(rows), dy.rows(rows), over: part,
        into: Matrix(dw.base + offset, rows: dw.rows, columns: dw.columns), accumulate: accumulate)
    }
  }

  /// dw = x^T dy, or dw += x^T dy, in one plane.
  private func sum(
    _ x: Matrix, _ dy: Matrix, over shards: ShardRows, into dw: Matrix, accumulate: Bool
  ) {
    if shards.count == 1 && !accumulate && !ShardedProduct.isNarrow(dw, table.products) {
      multiply(
        .columns(x.base, stride: x.columns), .rows(dy.base, stride: dy.columns), depth: x.rows,
        into: dw, .zero, .none)
    } else {
      let product = ShardedProduct(
        kernels: self, left: x, right: dy, shards: shards, c: dw,
        start: accumulate ? .result : .zero)
      let parts = parts(of: dw, depth: x.rows)
      run(EvenBlocks(of: parts.count, limit: 1), (product: product, parts: parts)) {
        kernels, o, part in
        let (rows, columns) = o.parts[part.lowerBound]
        var product = o.product
        product.kernels = kernels
        product.run(rows: rows, columns: columns)
      }
    }
  }
}
