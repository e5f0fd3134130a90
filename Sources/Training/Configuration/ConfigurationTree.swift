import Yams

/// Where a configuration value comes from.
public enum Origin: Equatable, Sendable, CustomStringConvertible {
  case builtIn
  case file(String, line: Int)
  case environment(String)
  case commandLine

  public var description: String {
    switch self {
    case .builtIn: "default"
    case .file(let path, let line): "\(path):\(line)"
    case .environment(let name): name
    case .commandLine: "--set"
    }
  }
}

/// A configuration as it was written: nested sections, with the origin of everything.
indirect enum ConfigurationTree {
  case value(Node, Origin)
  case section([(key: String, tree: ConfigurationTree)], Origin)

  /// - Parameter origin: of a node at a line of its text.
  init(_ node: Node, origin: (Int) -> Origin) {
    let line = node.mark?.line ?? 1
    guard let mapping = node.mapping else {
      self = .value(node, origin(line))
      return
    }
    self = .section(
      mapping.map { key, value in
        var tree = ConfigurationTree(value, origin: origin)
        // A key's line says more than its section's first line, which is the line of the next key.
        if case .section(let entries, _) = tree {
          tree = .section(entries, origin(key.mark?.line ?? line))
        }
        return (key.string ?? "", tree)
      }, origin(line))
  }

  var origin: Origin {
    switch self {
    case .value(_, let origin), .section(_, let origin): origin
    }
  }

  /// The part at a path of keys, if there is one.
  subscript(path: ArraySlice<String>) -> ConfigurationTree? {
    guard let key = path.first else { return self }
    guard case .section(let entries, _) = self,
      let entry = entries.last(where: { $0.key == key })
    else { return nil }
    return entry.tree[path.dropFirst()]
  }

  /// Puts `tree` at a path, in place of what was there.
  mutating func set(_ path: ArraySlice<String>, _ tree: ConfigurationTree) {
    guard let key = path.first else {
      self = tree
      return
    }
    var entries: [(key: String, tree: ConfigurationTree)] = []
    if case .section(let existing, _) = self { entries = existing }
    var child = ConfigurationTree.section([], tree.origin)
    if let index = entries.lastIndex(where: { $0.key == key }) {
      child = entries[index].tree
      child.set(path.dropFirst(), tree)
      entries[index].tree = child
    } else {
      child.set(path.dropFirst(), tree)
      entries.append((key, child))
    }
    self = .section(entries, origin)
  }
}
