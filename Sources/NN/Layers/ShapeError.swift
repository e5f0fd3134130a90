/// A layer that cannot work on the shape that it would get.
public struct ShapeError: Error, Equatable, CustomStringConvertible {
  /// Number and kind, such as `3 (conv)`; empty until the network has told.
  public var layer: String
  /// What the layer needs, in words.
  public var needs: String
  public var found: Shape

  public init(needs: String, found: Shape) {
    layer = ""
    self.needs = needs
    self.found = found
  }

  public var description: String { "layer \(layer): needs \(needs), got \(found)" }
}

/// A network of more elements than any machine holds.
public struct NetworkTooLarge: Error, CustomStringConvertible {
  /// The layer with which it becomes too large, such as `3 (dense)`.
  public var layer: String

  public var description: String {
    "layer \(layer): no machine holds so many elements: make the layers smaller"
  }
}
