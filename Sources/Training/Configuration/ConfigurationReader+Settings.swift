import NN
import Yams

// Values that other modules read for themselves: layers and losses.

extension ConfigurationReader {
  /// Everything that is written at a path; nil if there is nothing.
  func setting(_ path: String) -> RawSetting? {
    let keys = path.split(separator: ".").map(String.init)
    guard var setting = written(path, keys) else { return nil }
    // Variables of keys below the path, such as LOCKSTEP_LOSS_DELTA.
    for (key, node, origin) in variables(below: keys) {
      var entries: [RawSetting.Entry] = []
      switch setting.value {
      case .map(let present): entries = present.filter { $0.key != key }
      case .text: entries = [.init(key: "name", value: setting)]
      default: break
      }
      entries.append(.init(key: key, value: self.setting(node, origin)))
      setting.value = .map(entries)
    }
    return setting
  }

  private func written(_ path: String, _ keys: [String]) -> RawSetting? {
    guard let (node, origin) = find(path) else { return nil }
    if let section = tree[keys[...]], case .section = section, section.origin == origin {
      return setting(section)
    }
    return setting(node, origin)
  }

  private func setting(_ tree: ConfigurationTree) -> RawSetting {
    switch tree {
    case .value(let node, let origin): setting(node, origin)
    case .section(let entries, let origin):
      RawSetting(
        .map(entries.map { .init(key: $0.key, value: setting($0.tree)) }), place: place(origin))
    }
  }

  /// - Parameter origin: of the node as a whole; its parts may have lines of their own.
  private func setting(_ node: Node, _ origin: Origin) -> RawSetting {
    var origin = origin
    if case .file(let name, _) = origin, let line = node.mark?.line {
      origin = .file(name, line: line)
    }
    let value: RawSetting.Content
    if let items = node.sequence {
      value = .list(items.map { setting($0, origin) })
    } else if let mapping = node.mapping {
      value = .map(
        mapping.map { .init(key: $0.key.string ?? "", value: setting($0.value, origin)) })
    } else if node.null != nil {
      value = .none
    } else if let integer = ConfigurationReader.integer(node, in: .min ... .max) {
      value = .integer(integer)
    } else if let number = ConfigurationReader.number(node, in: -.infinity ... .infinity) {
      value = .number(number)
    } else if let flag = node.bool {
      value = .flag(flag)
    } else {
      value = .text(node.string ?? "")
    }
    return RawSetting(value, place: place(origin))
  }

  /// Adds faults of settings that `setting` has returned.
  func add(_ faults: [SettingFault], to path: String) {
    for found in faults { fault(path, origin(ofPlace: found.place), found.description) }
  }
}
