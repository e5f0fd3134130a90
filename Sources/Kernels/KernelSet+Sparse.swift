// Products with sparse matrices, and embeddings: products with matrices of a single 1 per row.

extension KernelSet {
  /// y = x w: sparse (m, k) times (k, n) gives (m, n). A row's elements are added in the order in
  /// which they are stored.
  public func product(_ x: SparseMatrix, _ w: Matrix, into y: Matrix) {
    precondition(x.columns == w.rows && y.rows == x.rows && y.columns == w.columns)
    for i in 0..<x.rows {
      let elements = x.elements(of: i)
      table.sparse.sumScaledRows(
        elements.count, w.columns, x.columnIndices + elements.lowerBound,
        x.values + elements.lowerBound, w.base, y.row(i))
    }
  }

  /// dw = x^T dy: the transpose of sparse (m, k) times (m, n) gives (k, n), summed over the m rows
  /// shard by shard along the shard tree.
  public func productOfTranspose(
    _ x: SparseMatrix, _ dy: Matrix, over shards: ShardRows, into dw: Matrix
  ) {
    precondition(x.rows == dy.rows && dw.rows == x.columns && dw.columns == dy.columns)
    shards.forEachPlane { part, firstRow, offset in
      sum(
        SparseMatrix(
          rows: part.rows, columns: x.columns, rowStarts: x.rowStarts + firstRow,
          columnIndices: x.columnIndices, values: x.values),
        dy.rows(firstRow..<firstRow + part.rows), over: part,
        into: Matrix(dw.base + offset, rows: dw.rows, columns: dw.columns))
    }
  }

  /// dw = x^T dy, in one plane.
  private func sum(_ x: SparseMatrix, _ dy: Matrix, over shards: ShardRows, into dw: Matrix) {
    let first = x.rowStarts[0]
    let transpose = TransposedRows(
      count: x.rowStarts[x.rows] - first, columns: x.columns, kernels: self
    ) { insert in
      for i in 0..<x.rows {
        for k in x.elements(of: i) { insert(i, Int(x.columnIndices[k]), x.values[k]) }
      }
    }
    transpose.product(dy, over: shards, into: dw, kernels: self)
  }

  /// Row i of `y` becomes row indices[i] of `table`.
  /// - Precondition: every index is in 0..<table.rows.
  public func embed(_ indices: UnsafeBufferPointer<Int32>, in table: Matrix, into y: Matrix) {
    precondition(y.rows == indices.count && y.columns == table.columns)
    for (i, index) in indices.enumerated() {
      precondition(index >= 0 && index < table.rows)
      y.row(i).update(from: table.row(Int(index)), count: table.columns)
    }
  }

  /// Row r of `dtable` becomes the sum of the rows i of `dy` with indices[i] = r, in their order,
  /// shard by shard along the shard tree.
  /// - Precondition: every index is in 0..<dtable.rows.
  public func embedGradient(
    _ indices: UnsafeBufferPointer<Int32>, _ dy: Matrix, over shards: ShardRows,
    into dtable: Matrix
  ) {
    precondition(dy.rows == indices.count && dy.columns == dtable.columns)
    for index in indices { precondition(index >= 0 && index < dtable.rows) }
    shards.forEachPlane { part, firstRow, offset in
      let indices = indices[firstRow..<firstRow + part.rows]
      let transpose = TransposedRows(count: indices.count, columns: dtable.rows, kernels: self) {
        insert in
        for (i, index) in indices.enumerated() { insert(i, Int(index), 1) }
      }
      transpose.product(
        dy.rows(firstRow..<firstRow + part.rows), over: part,
        into: Matrix(dtable.base + offset, rows: dtable.rows, columns: dtable.columns),
        kernels: self)
    }
  }
}

/// A sparse matrix column by column, the rows of every column in ascending order.
private struct TransposedRows {
  private let columns: Int
  /// `columns + 1` places among the elements.
  private let starts: UnsafeMutablePointer<Int32>
  private let rows: UnsafeMutablePointer<Int32>
  private let values: UnsafeMutablePointer<Float>

  /// Sorts by counting, in scratch memory that lasts until the next one.
  /// - Parameter elements: passes `count` elements (row, column, value), ascending by row, to a
  ///   function; called twice.
  init(
    count: Int, columns: Int, kernels: KernelSet,
    elements: ((_ row: Int, _ column: Int, _ value: Float) -> Void) -> Void
  ) {
    precondition(count <= Int32.max)
    self.columns = columns
    // Places move one forward while they are filled: they are counted two ahead.
    let indices = kernels.indices.reserve(columns + 2 + count)
    (starts, rows) = (indices, indices + columns + 2)
    values = kernels.packedLeft.reserve(count)
    let (starts, rows, values) = (self.starts, self.rows, self.values)
    starts.update(repeating: 0, count: columns + 2)
    elements { _, column, _ in starts[column + 2] += 1 }
    for column in 0..<columns { starts[column + 2] += starts[column + 1] }
    elements { row, column, value in
      let place = Int(starts[column + 1])
      rows[place] = Int32(truncatingIfNeeded: row)
      values[place] = value
      starts[column + 1] += 1
    }
  }

  /// Row c of `dw` = the sum of column c's elements times their rows of `dy`.
  func product(_ dy: Matrix, over shards: ShardRows, into dw: Matrix, kernels: KernelSet) {
    precondition(shards.rows == dy.rows)
    let levels = Int.bitWidth - (shards.first + shards.count).leadingZeroBitCount
    let scratch = kernels.partialSums.reserve(levels * dy.columns)
    for column in 0..<columns {
      let elements = Int(starts[column])..<Int(starts[column + 1])
      if elements.isEmpty {
        dw.row(column).update(repeating: 0, count: dw.columns)
      } else {
        sum(
          elements, dy, shards, subtree: 0..<1 << levels, into: dw.row(column), scratch: scratch,
          kernels: kernels)
      }
    }
  }

  /// The sum of elements whose rows are in the shards of a subtree of the shard tree. Shards without
  /// elements are left out: no sum is -0, so adding their zeros would change nothing.
  private func sum(
    _ elements: Range<Int>, _ dy: Matrix, _ shards: ShardRows, subtree: Range<Int>,
    into sums: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>,
    kernels: KernelSet
  ) {
    if elements.count == 1 || subtree.count == 1 {
      kernels.table.sparse.sumScaledRows(
        elements.count, dy.columns, rows + elements.lowerBound, values + elements.lowerBound,
        dy.base, sums)
      return
    }
    let middle = subtree.lowerBound + subtree.count / 2
    let split = firstElement(of: elements, from: firstRow(ofShard: middle, shards))
    let (left, right) = (elements.lowerBound..<split, split..<elements.upperBound)
    let (leftTree, rightTree) = (subtree.lowerBound..<middle, middle..<subtree.upperBound)
    if right.isEmpty {
      sum(left, dy, shards, subtree: leftTree, into: sums, scratch: scratch, kernels: kernels)
    } else if left.isEmpty {
      sum(right, dy, shards, subtree: rightTree, into: sums, scratch: scratch, kernels: kernels)
    } else {
      let rest = scratch + dy.columns
      sum(left, dy, shards, subtree: leftTree, into: sums, scratch: scratch, kernels: kernels)
      sum(right, dy, shards, subtree: rightTree, into: scratch, scratch: rest, kernels: kernels)
      kernels.table.add(dy.columns, scratch, sums)
    }
  }

  /// The first row of `shard` or of one behind it, among the rows of the run.
  private func firstRow(ofShard shard: Int, _ shards: ShardRows) -> Int {
    if shard <= shards.first { return 0 }
    return shards.end(of: min(shard - shards.first, shards.count) - 1)
  }

  /// The first of `elements` whose row is `row` or greater.
  private func firstElement(of elements: Range<Int>, from row: Int) -> Int {
    var (low, high) = (elements.lowerBound, elements.upperBound)
    while low < high {
      let middle = (low + high) / 2
      if rows[middle] < row { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

/// Indices in memory that grows to the largest request and is not given back.
final class IndexScratch {
  private var base = UnsafeMutablePointer<Int32>.allocate(capacity: 1)
  private(set) var count = 0

  /// Room for `count` indices of undefined value, valid until the next request.
  func reserve(_ count: Int) -> UnsafeMutablePointer<Int32> {
    if self.count < count {
      base.deallocate()
      base = .allocate(capacity: count)
      self.count = count
    }
    return base
  }

  deinit { base.deallocate() }
}
