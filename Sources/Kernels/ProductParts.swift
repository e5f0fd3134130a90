/// The result of a product, cut into rectangles for the threads: as many parts of equal height as of
/// rows, times as many of equal width. No sum is cut, so that it does not show in the result.
///
///     +-----+-----+      Parts beside each other pack different columns of the right operand;
///     |  0  |  1  |      parts below each other pack the same ones, which costs as much as
///     +-----+-----+      a few rows of the result.
///     |  2  |  3  |
///     +-----+-----+
struct ProductParts {
  let rows: EvenBlocks
  let columns: EvenBlocks

  var count: Int { rows.count * columns.count }

  subscript(part: Int) -> (rows: Range<Int>, columns: Range<Int>) {
    (rows[part / columns.count], columns[part % columns.count])
  }

  /// Rows of a product that take as long as packing its right operand.
  private static let rowsOfPacking = 12

  /// - Parameter tileColumns: columns of a panel; parts begin with one.
  init(rows: Int, columns: Int, tileColumns: Int, threads: Int) {
    func cut(_ height: Int) -> (rows: EvenBlocks, columns: EvenBlocks) {
      (
        EvenBlocks(of: rows, parts: height, unit: 1),
        EvenBlocks(of: columns, parts: threads / height, unit: tileColumns)
      )
    }
    /// The work of the largest part.
    func cost(_ height: Int) -> Int {
      let parts = cut(height)
      return (parts.rows.size + ProductParts.rowsOfPacking) * min(parts.columns.size, columns)
    }
    var (best, least) = (1, cost(1))
    for height in 1...threads where cost(height) < least { (best, least) = (height, cost(height)) }
    (self.rows, self.columns) = cut(best)
  }
}
