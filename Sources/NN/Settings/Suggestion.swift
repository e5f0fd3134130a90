/// What a user who mistyped a name may have meant.
public enum Suggestion {
  /// The name with the fewest edits, if there are few enough to be a slip.
  public static func nearest(to name: String, among names: [String]) -> String? {
    let ranked = names.map { (name: $0, distance: distance($0, name)) }
    guard let best = ranked.min(by: { $0.distance < $1.distance }) else { return nil }
    return best.distance <= max(2, name.count / 3) ? best.name : nil
  }

  /// Levenshtein's distance, with the exchange of two neighbours as one edit.
  static func distance(_ a: String, _ b: String) -> Int {
    let (a, b) = (Array(a), Array(b))
    var table = Array(repeating: Array(repeating: 0, count: b.count + 1), count: a.count + 1)
    for i in 0...a.count { table[i][0] = i }
    for j in 0...b.count { table[0][j] = j }
    for i in a.indices {
      for j in b.indices {
        var edits = min(table[i][j + 1] + 1, table[i + 1][j] + 1)
        edits = min(edits, table[i][j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
          edits = min(edits, table[i - 1][j - 1] + 1)
        }
        table[i + 1][j + 1] = edits
      }
    }
    return table[a.count][b.count]
  }
}
