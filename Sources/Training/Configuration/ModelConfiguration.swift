import NN
import Yams

// The `model` key: a list of layers, each a name or a name with a setting.
//
//     model: [ {dense: 512}, relu, {dense: 10} ]

extension LayerSpecification {
  static func list(_ reader: ConfigurationReader, _ path: String) -> [LayerSpecification] {
    var reason = ""
    let layers = reader.required(
      path, "a list of layers such as [{dense: 512}, relu, {dense: 10}]",
      parse: { node -> [LayerSpecification]? in
        guard let items = node.sequence, !items.isEmpty else { return nil }
        var layers: [LayerSpecification] = []
        for (number, item) in items.enumerated() {
          do {
            layers.append(try LayerSpecification(item))
          } catch {
            if reason.isEmpty { reason = "layer \(number): \(error)" }
          }
        }
        return layers
      },
      text: { "[" + $0.map(\.text).joined(separator: ", ") + "]" })
    if !reason.isEmpty { reader.fault(path, reason) }
    return layers ?? []
  }

  private struct Misfit: Error, CustomStringConvertible {
    var description: String
  }

  private init(_ node: Node) throws {
    let name: String?
    let setting: Node?
    if let mapping = node.mapping, mapping.count == 1, let entry = mapping.first {
      (name, setting) = (entry.key.string, entry.value)
    } else {
      (name, setting) = (node.string, nil)
    }
    switch (name, setting) {
    case ("dense", let units?):
      guard let units = ConfigurationReader.integer(units, in: 1...1 << 31) else {
        throw Misfit(description: "dense needs its number of outputs, such as {dense: 512}")
      }
      self = .dense(units: units)
    case ("dense", nil):
      throw Misfit(description: "dense needs its number of outputs, such as {dense: 512}")
    case ("relu", nil):
      self = .relu
    case ("relu", _):
      throw Misfit(description: "relu has no setting")
    case (let name?, _):
      let hint =
        Suggestion.nearest(to: name, among: LayerSpecification.names)
        .map { "did you mean '\($0)'?" }
        ?? "there are \(LayerSpecification.names.joined(separator: ", "))"
      throw Misfit(description: "unknown layer '\(name)'; \(hint)")
    case (nil, _):
      throw Misfit(description: "expected a name, or one name with a setting")
    }
  }

  /// As it is written in a configuration.
  var text: String {
    switch self {
    case .dense(let units): "{dense: \(units)}"
    case .relu: "relu"
    }
  }
}
