import NN

// The `model` key, a list of layers, each a name or a name with settings, and the `loss` key, a name
// or a section with `name` and settings.
//
//     model: [ {dense: 512}, relu, {dense: 10} ]
//     loss: softmax-cross-entropy

extension LayerSpecification {
  static func list(_ reader: ConfigurationReader, _ path: String) -> [LayerSpecification] {
    let expectation = "a list of layers such as [{dense: 512}, relu, {dense: 10}]"
    guard let setting = reader.setting(path) else {
      reader.missing(path, expectation)
      return []
    }
    guard case .list(let items) = setting.value, !items.isEmpty else {
      reader.fault(
        path, reader.origin(ofPlace: setting.place),
        "expected \(expectation), found \(setting.found)")
      return []
    }
    var faults: [SettingFault] = []
    let layers = LayerSpecification.list(items, faults: &faults)
    reader.add(faults, to: path)
    reader.record(
      path, "[" + layers.map(\.description).joined(separator: ", ") + "]",
      reader.origin(ofPlace: setting.place))
    return layers
  }
}

extension Loss {
  static func read(_ reader: ConfigurationReader, _ path: String, default fallback: Loss) -> Loss {
    guard let setting = reader.setting(path) else {
      reader.record(path, fallback.description, .builtIn)
      return fallback
    }
    var faults: [SettingFault] = []
    let loss = Loss(setting, faults: &faults)
    reader.add(faults, to: path)
    guard let loss else { return fallback }
    reader.record(path, loss.description, reader.origin(ofPlace: setting.place))
    return loss
  }
}
