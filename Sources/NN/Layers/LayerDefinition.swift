/// What a kind of layer is called and how its settings are read: what a new kind adds to
/// `LayerDefinition.all`.
public struct LayerDefinition: Sendable {
  /// What configurations call it.
  public let name: String
  /// The setting that a bare value stands for, if one can: with `units`, `{dense: 512}` is
  /// `{dense: {units: 512}}`.
  let main: String?
  /// How it is written, for messages.
  let example: String
  let read: @Sendable (SettingReader) -> LayerSpecification.Content

  /// A layer of its own.
  /// - Parameter read: reads the settings and returns what makes the layer for an input shape, or
  ///   throws a `ShapeError`.
  public init(
    _ name: String, main: String? = nil, example: String,
    read: @escaping @Sendable (SettingReader) -> @Sendable (Shape) throws -> any Layer
  ) {
    self.init(name, main: main, example: example, content: { .layer(read($0)) })
  }

  init(
    _ name: String, main: String?, example: String,
    content: @escaping @Sendable (SettingReader) -> LayerSpecification.Content
  ) {
    self.name = name
    self.main = main
    self.example = example
    read = content
  }

  /// Every kind of layer there is.
  static let all: [LayerDefinition] = [
    Dense.definition,
    Elementwise.relu, Elementwise.leakyReLU, Elementwise.gelu, Elementwise.sigmoid,
    Elementwise.tanh,
    Convolution.definition,
    MaxPool.definition,
    AveragePool.definition,
    AveragePool.globalDefinition,
    Dropout.definition,
    BatchNorm.definition,
    LayerNorm.definition,
    Embedding.definition,
    Flatten.definition,
    Residual.definition,
  ]
}
