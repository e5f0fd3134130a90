/// The extents of one sample's array, outermost first: `28x28`, `512`.
public struct Shape: Equatable, Sendable, CustomStringConvertible {
  public var dimensions: [Int]

  public init(_ dimensions: [Int]) { self.dimensions = dimensions }
  public init(_ dimensions: Int...) { self.dimensions = dimensions }

  /// Elements in all.
  public var count: Int { dimensions.reduce(1, *) }

  public var description: String { dimensions.map(String.init).joined(separator: "x") }
}
