/// A matrix of which only some elements are stored, row by row (CSR), in somebody else's memory.
///
///     | 0 5 0 |      rowStarts  0, 1, 1, 3
///     | 0 0 0 |      columns    1, 0, 2
///     | 6 0 7 |      values     5, 6, 7
public struct SparseMatrix {
  public let rows: Int
  public let columns: Int
  /// `rows + 1` places among the stored elements: row i has those from rowStarts[i] to before
  /// rowStarts[i + 1].
  public let rowStarts: UnsafePointer<Int>
  /// The column of every stored element. Within a row they may come in any order, and again.
  public let columnIndices: UnsafePointer<Int32>
  public let values: UnsafePointer<Float>

  /// - Precondition: starts ascend, and every column is in 0..<columns.
  public init(
    rows: Int, columns: Int, rowStarts: UnsafePointer<Int>, columnIndices: UnsafePointer<Int32>,
    values: UnsafePointer<Float>
  ) {
    precondition(rows >= 0 && columns >= 0 && rowStarts[0] >= 0)
    for i in 0..<rows { precondition(rowStarts[i] <= rowStarts[i + 1]) }
    for k in rowStarts[0]..<rowStarts[rows] {
      precondition(columnIndices[k] >= 0 && columnIndices[k] < columns)
    }
    self.rows = rows
    self.columns = columns
    self.rowStarts = rowStarts
    self.columnIndices = columnIndices
    self.values = values
  }

  /// The stored elements of row `i`.
  public func elements(of i: Int) -> Range<Int> { rowStarts[i]..<rowStarts[i + 1] }
}
