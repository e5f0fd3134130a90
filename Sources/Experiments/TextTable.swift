/// Columns of text for a terminal.
public struct TextTable {
  private let lines: [[String]]
  /// Columns whose cells begin on the left; all others end on the right.
  private let leading: Set<Int>

  /// - Precondition: every row has as many cells as there are columns.
  public init(columns: [String], rows: [[String]], leading: Set<Int> = []) {
    precondition(rows.allSatisfy { $0.count == columns.count })
    lines = [columns] + rows
    self.leading = leading
  }

  public var text: String {
    let widths = lines[0].indices.map { column in lines.map { $0[column].count }.max()! }
    return lines.map { line in
      var text = line.indices.map { column in
        let filling = String(repeating: " ", count: widths[column] - line[column].count)
        return leading.contains(column) ? line[column] + filling : filling + line[column]
      }.joined(separator: "  ")
      while text.last == " " { text.removeLast() }
      return text + "\n"
    }.joined()
  }
}
