/// A resolved configuration written as YAML.
struct ConfigurationText {
  private let entries: [ConfigurationReader.Entry]

  init(_ entries: [ConfigurationReader.Entry]) { self.entries = entries }

  var plain: String { text { _ in nil } }

  /// With the origin of every value as a comment.
  var annotated: String { text { "# \($0.origin)" } }

  private func text(comment: (ConfigurationReader.Entry) -> String?) -> String {
    var lines: [String] = []
    var open: [String] = []
    for entry in entries {
      let sections = Array(entry.path.dropLast())
      let common = zip(open, sections).prefix { $0 == $1 }.count
      for depth in common..<max(common, sections.count) {
        lines.append(String(repeating: "  ", count: depth) + sections[depth] + ":")
      }
      open = sections
      var line =
        String(repeating: "  ", count: sections.count) + "\(entry.path.last!): \(entry.text)"
      if let comment = comment(entry) {
        line += String(repeating: " ", count: max(2, 48 - line.count)) + comment
      }
      lines.append(line)
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
