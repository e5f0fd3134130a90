import Foundation
import NN
import Yams

/// Everything that is wrong with a configuration, a line each.
public struct ConfigurationError: Error, CustomStringConvertible {
  public struct Fault: Equatable, Sendable {
    /// Key path, such as `training.epochs`; empty for the file as a whole.
    public var key: String
    public var origin: Origin
    public var reason: String
  }

  public var faults: [Fault]

  public var description: String {
    faults.map { fault in
      switch fault.origin {
      case .builtIn: "\(fault.key): \(fault.reason)"
      case .commandLine: "--set \(fault.key): \(fault.reason)"
      default:
        fault.key.isEmpty
          ? "\(fault.origin): \(fault.reason)" : "\(fault.origin): \(fault.key): \(fault.reason)"
      }
    }.joined(separator: "\n")
  }
}

/// Reads values out of a configuration, one key at a time, and keeps a record of it: what was read
/// is what exists. Whatever is left over is unknown; whatever is wrong is collected, not thrown.
///
/// Precedence: defaults < file < `LOCKSTEP_*` environment < `--set`.
final class ConfigurationReader {
  /// A value as it was resolved.
  struct Entry {
    var path: [String]
    /// YAML on one line.
    var text: String
    var origin: Origin
  }

  let tree: ConfigurationTree
  private let environment: [String: String]
  private(set) var entries: [Entry] = []
  private(set) var faults: [ConfigurationError.Fault] = []
  /// Keys that were asked for, by section.
  private var known: [[String]: [String]] = [:]
  private var ignored: Set<[String]> = []
  /// Keys whose values were asked for.
  private var asked: Set<[String]> = []
  /// Where settings were written, by their `place`.
  private var places: [Origin] = [.builtIn]

  /// Environment variables of ours that are no configuration keys.
  private static let otherVariables: Set<String> = ["LOCKSTEP_KERNELS", "LOCKSTEP_JOB"]

  /// - Parameter faults: what was wrong with the tree's settings.
  init(
    _ tree: ConfigurationTree, environment: [String: String],
    faults: [ConfigurationError.Fault] = []
  ) {
    self.tree = tree
    self.faults = faults
    self.environment = environment.filter {
      $0.key.hasPrefix("LOCKSTEP_") && !ConfigurationReader.otherVariables.contains($0.key)
    }
  }

  /// Reads a value, or `fallback` where there is none.
  /// - Parameters:
  ///   - path: key path, such as `training.epochs`.
  ///   - expectation: what `parse` accepts, in words, for the message.
  ///   - parse: nil if the node does not fit.
  func value<Value>(
    _ path: String, default fallback: Value, _ expectation: String, parse: (Node) -> Value?,
    text: (Value) -> String
  ) -> Value {
    guard let (node, origin) = find(path) else {
      record(path, text(fallback), .builtIn)
      return fallback
    }
    guard let value = parse(node) else {
      fault(path, origin, "expected \(expectation), found \(ConfigurationReader.show(node))")
      return fallback
    }
    record(path, text(value), origin)
    return value
  }

  /// Reads a value that may be absent.
  func optional<Value>(
    _ path: String, _ expectation: String, parse: (Node) -> Value?, text: (Value) -> String
  ) -> Value? {
    value(path, default: nil, expectation, parse: { parse($0).map(Optional.some) }) {
      $0.map(text) ?? "null"
    }
  }

  /// Reads a value that must be there; nil, and a fault, if it is not.
  func required<Value>(
    _ path: String, _ expectation: String, parse: (Node) -> Value?, text: (Value) -> String
  ) -> Value? {
    guard find(path) != nil else {
      missing(path, expectation)
      return nil
    }
    return optional(path, expectation, parse: parse, text: text)
  }

  /// Whether something is written at a path: a value or a section.
  func has(_ path: String) -> Bool {
    let keys = path.split(separator: ".").map(String.init)
    note(keys)
    // A variable of the key's own, or of a key below it.
    let variable = ConfigurationReader.variable(keys)
    if environment.keys.contains(where: { $0 == variable || $0.hasPrefix(variable + "_") }) {
      return true
    }
    guard let found = tree[keys[...]] else { return false }
    if case .value(let node, _) = found, node.null != nil { return false }
    return true
  }

  /// Adds the fault of a value that must be there and is not.
  func missing(_ path: String, _ expectation: String) {
    fault(path, section(of: path), "missing: expected \(expectation)")
  }

  func fault(_ path: String, _ origin: Origin, _ reason: String) {
    faults.append(.init(key: path, origin: origin, reason: reason))
  }

  /// A fault of a value that was read: its origin is looked up.
  func fault(_ path: String, _ reason: String) {
    let keys = path.split(separator: ".").map(String.init)
    let origin = entries.last { $0.path == keys }?.origin ?? section(of: path)
    fault(path, origin, reason)
  }

  /// Refuses a key that does not go with what was chosen, if it is written.
  func refuse(_ path: String, _ reason: String) {
    let keys = path.split(separator: ".").map(String.init)
    guard tree[keys[...]] != nil || environment[ConfigurationReader.variable(keys)] != nil,
      let (_, origin) = find(path)
    else { return }
    fault(path, origin, reason)
  }

  /// Says nothing of unknown keys in a section, because what belongs there cannot be told.
  func ignoreUnknownKeys(in path: String) {
    ignored.insert(path.split(separator: ".").map(String.init))
  }

  /// Adds a fault for every key that nobody asked for, and for every section that is none.
  func refuseUnknownKeys() {
    refuseUnknown(in: tree, at: [])
    let names = Set(asked.map(ConfigurationReader.variable))
    let ignored = self.ignored.map { ConfigurationReader.variable($0) + "_" }
    for name in environment.keys.sorted() where !names.contains(name) {
      if ignored.contains(where: { name.hasPrefix($0) }) { continue }
      let hint = Suggestion.nearest(to: name, among: names.sorted())
      faults.append(
        .init(
          key: "", origin: .environment(name),
          reason: "no configuration key has this variable"
            + (hint.map { "; did you mean \($0)?" } ?? "")))
    }
  }

  private func refuseUnknown(in tree: ConfigurationTree, at path: [String]) {
    if ignored.contains(path) { return }
    guard case .section(let entries, _) = tree else {
      if case .value(let node, let origin) = tree, node.null == nil {
        let keys = (known[path] ?? []).joined(separator: ", ")
        fault(
          path.joined(separator: "."), origin,
          "expected a section with \(keys), found \(ConfigurationReader.show(node))")
      }
      return
    }
    for (index, (key, child)) in entries.enumerated() {
      let here = path + [key]
      let name = here.joined(separator: ".")
      let keys = known[path] ?? []
      if entries.dropFirst(index + 1).contains(where: { $0.key == key }) {
        fault(name, child.origin, "the key is there twice")
      } else if !keys.contains(key) {
        let hint =
          Suggestion.nearest(to: key, among: keys).map { "did you mean '\($0)'?" }
          ?? "there are \(keys.joined(separator: ", "))"
        fault(name, child.origin, "unknown key; \(hint)")
      } else if known[here] != nil {
        refuseUnknown(in: child, at: here)
      }
    }
  }

  func find(_ path: String) -> (Node, Origin)? {
    let keys = path.split(separator: ".").map(String.init)
    note(keys)
    asked.insert(keys)
    let found = tree[keys[...]]
    let variable = ConfigurationReader.variable(keys)
    if found?.origin != .commandLine, let text = environment[variable] {
      let node = (try? Yams.compose(yaml: text)) ?? Node(text)
      return node.null == nil ? (node, .environment(variable)) : nil
    }
    switch found {
    case .value(let node, let origin)?: return node.null == nil ? (node, origin) : nil
    case .section(_, let origin)?: return (.mapping(.init([])), origin)
    case nil: return nil
    }
  }

  /// Remembers that every part of a path exists.
  private func note(_ keys: [String]) {
    for depth in keys.indices {
      let section = Array(keys[..<depth])
      if !(known[section] ?? []).contains(keys[depth]) {
        known[section, default: []].append(keys[depth])
      }
    }
  }

  /// The origin of the nearest section around a path that was written.
  private func section(of path: String) -> Origin {
    var keys = path.split(separator: ".").map(String.init)
    while !keys.isEmpty {
      keys.removeLast()
      if let found = tree[keys[...]] { return found.origin }
    }
    return tree.origin
  }

  func record(_ path: String, _ text: String, _ origin: Origin) {
    entries.append(
      Entry(path: path.split(separator: ".").map(String.init), text: text, origin: origin))
  }

  /// The place by which a setting knows its origin.
  func place(_ origin: Origin) -> Int {
    places.append(origin)
    return places.count - 1
  }

  func origin(ofPlace place: Int) -> Origin { places[place] }

  /// The environment's values for keys below a path, in alphabetical order; they count as asked for.
  func variables(below path: [String]) -> [(key: String, value: Node, origin: Origin)] {
    if tree[path[...]]?.origin == .commandLine { return [] }
    let prefix = ConfigurationReader.variable(path) + "_"
    return environment.keys.filter { $0.hasPrefix(prefix) }.sorted().map { name in
      let key = name.dropFirst(prefix.count).lowercased().replacing("_", with: "-")
      asked.insert(path + [key])
      let text = environment[name]!
      return (key, (try? Yams.compose(yaml: text)) ?? Node(text), .environment(name))
    }
  }

  /// `training.batch-size` is `LOCKSTEP_TRAINING_BATCH_SIZE`.
  private static func variable(_ path: [String]) -> String {
    "LOCKSTEP_"
      + path.joined(separator: "_").uppercased().replacingOccurrences(of: "-", with: "_")
  }

  private static func show(_ node: Node) -> String {
    if let scalar = node.scalar { return "'\(scalar.string)'" }
    return node.sequence != nil ? "a list" : "a section"
  }
}
