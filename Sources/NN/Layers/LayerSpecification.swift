/// A layer, or a block of layers, as a user asks for it, before its input's shape is known.
public struct LayerSpecification: Sendable {
  enum Content: Sendable {
    /// Makes the layer for an input shape.
    case layer(@Sendable (Shape) throws -> any Layer)
    /// The sum of what two rows of layers make of the same input. The second may be empty: it is
    /// the input itself then.
    case residual([LayerSpecification], shortcut: [LayerSpecification])
  }

  public let name: String
  /// Every setting, defaults too: they read back as the same layer.
  public let settings: [RawSetting.Entry]
  let content: Content

  /// A layer that no configuration can name.
  /// - Parameter make: the layer for an input shape; throws `ShapeError`.
  public init(_ name: String, make: @escaping @Sendable (Shape) throws -> any Layer) {
    self.name = name
    settings = []
    content = .layer(make)
  }

  /// A layer by name and settings: `LayerSpecification("dense", ["units": 512])`.
  /// - Throws: the first `SettingFault`.
  public init(_ name: String, _ settings: RawSetting = RawSetting(.none)) throws {
    var faults: [SettingFault] = []
    let layer = LayerSpecification(
      name, settings, place: settings.place, number: "", faults: &faults)
    if let fault = faults.first { throw fault }
    self = layer!
  }

  /// A layer as it stands in a list: a name, or a map of one name to its settings.
  /// - Parameters:
  ///   - number: where it stands, for messages: `3`, or `3.0` within a block.
  ///   - faults: everything that is wrong with it is added here; nil is returned then.
  init?(_ item: RawSetting, number: String, faults: inout [SettingFault]) {
    switch item.value {
    case .text(let name):
      self.init(
        name, RawSetting(.none, place: item.place), place: item.place, number: number,
        faults: &faults)
    case .map(let entries) where entries.count == 1:
      self.init(
        entries[0].key, entries[0].value, place: item.place, number: number,
        faults: &faults)
    default:
      faults.append(
        SettingFault(
          place: item.place,
          description: "layer \(number): expected a name, or one name with its settings"))
      return nil
    }
  }

  private init?(
    _ name: String, _ setting: RawSetting, place: Int, number: String, faults: inout [SettingFault]
  ) {
    let known = LayerSpecification.names
    guard let definition = LayerDefinition.all.first(where: { $0.name == name }) else {
      let hint =
        Suggestion.nearest(to: name, among: known).map { "did you mean '\($0)'?" }
        ?? "there are \(known.joined(separator: ", "))"
      let subject = number.isEmpty ? "" : "layer \(number): "
      faults.append(
        SettingFault(place: place, description: "\(subject)unknown layer '\(name)'; \(hint)"))
      return nil
    }
    let reader = SettingReader(
      setting, of: number.isEmpty ? name : "layer \(number) (\(name))", number: number,
      main: definition.main, example: definition.example)
    content = definition.read(reader)
    reader.refuseUnknownKeys()
    self.name = name
    settings = reader.resolved
    faults += reader.faults
    if !reader.faults.isEmpty { return nil }
  }

  /// The layers of a list.
  /// - Parameters:
  ///   - prefix: of the layers' numbers.
  ///   - faults: everything that is wrong with them is added here.
  public static func list(
    _ items: [RawSetting], prefix: String = "", faults: inout [SettingFault]
  ) -> [LayerSpecification] {
    var layers: [LayerSpecification] = []
    for (index, item) in items.enumerated() {
      if let layer = LayerSpecification(item, number: "\(prefix)\(index)", faults: &faults) {
        layers.append(layer)
      }
    }
    return layers
  }

  /// The names that configurations use.
  public static let names = LayerDefinition.all.map(\.name)

  /// As it stands in a list: a name, or a map of one name to its settings.
  public var setting: RawSetting {
    guard let first = settings.first else { return RawSetting(.text(name)) }
    let main = LayerDefinition.all.first { $0.name == name }?.main
    let isShort = settings.count == 1 && first.key == main
    return RawSetting(
      .map([.init(key: name, value: isShort ? first.value : RawSetting(.map(settings)))]))
  }
}

extension LayerSpecification: Equatable {
  /// Equal in name and settings; layers that no configuration can name are told apart by name only.
  public static func == (a: LayerSpecification, b: LayerSpecification) -> Bool {
    a.name == b.name && a.settings == b.settings
  }
}

extension LayerSpecification: CustomStringConvertible {
  /// As YAML, on one line.
  public var description: String { setting.description }
}

extension LayerSpecification {
  /// - Precondition: `units` is positive.
  public static func dense(units: Int) -> LayerSpecification {
    try! LayerSpecification("dense", RawSetting(.integer(units)))
  }

  public static let relu = try! LayerSpecification("relu")

  /// f(x) + x, or f(x) + g(x) with the layers g as a shortcut.
  public static func residual(
    _ layers: [LayerSpecification], shortcut: [LayerSpecification] = []
  ) -> LayerSpecification {
    func list(_ layers: [LayerSpecification]) -> RawSetting {
      RawSetting(.list(layers.map(\.setting)))
    }
    return LayerSpecification(
      name: "residual",
      settings: [
        .init(key: "layers", value: list(layers)), .init(key: "shortcut", value: list(shortcut)),
      ],
      content: .residual(layers, shortcut: shortcut))
  }

  private init(name: String, settings: [RawSetting.Entry], content: Content) {
    self.name = name
    self.settings = settings
    self.content = content
  }
}

extension SettingReader {
  /// A list of layers.
  /// - Parameter prefix: of the layers' numbers within this one's.
  func layers(_ key: String, default fallback: [LayerSpecification]? = nil, prefix: String = "")
    -> [LayerSpecification]
  {
    var faults: [SettingFault] = []
    let layers = value(
      key, default: fallback, "a list of layers", stopgap: [],
      parse: { setting -> [LayerSpecification]? in
        guard case .list(let items) = setting.value, !items.isEmpty || fallback != nil else {
          return nil
        }
        let parent = number.isEmpty ? "" : "\(number)."
        return LayerSpecification.list(items, prefix: parent + prefix, faults: &faults)
      },
      record: { layers in RawSetting(.list(layers.map(\.setting))) })
    add(faults)
    return layers
  }
}
