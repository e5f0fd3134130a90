/// A layer as a user asks for it, before its input's shape is known.
public enum LayerSpecification: Equatable, Sendable {
  case dense(units: Int)
  case relu

  /// The names that configurations use.
  public static let names = ["dense", "relu"]

  /// The layer for inputs of `shape`.
  public func layer(inputShape shape: Shape) -> any Layer {
    switch self {
    case .dense(let units): Dense(inputShape: shape, units: units)
    case .relu: ReLU(inputShape: shape)
    }
  }

  /// Elements that the layer learns for an input of `shape`; nothing is allocated.
  public func parameterCount(for shape: Shape) -> Int {
    layer(inputShape: shape).parameters.reduce(0) { $0 + $1.shape.count }
  }

  /// What the layer makes of an input of `shape`; nothing is allocated.
  public func outputShape(for shape: Shape) -> Shape { layer(inputShape: shape).outputShape }
}
