/// The extents of one sample's array, outermost first: `28x28`, `512`.
public struct Shape: Equatable, Sendable, CustomStringConvertible {
  public var dimensions: [Int]

  public init(_ dimensions: [Int]) { self.dimensions = dimensions }
  public init(_ dimensions: Int...) { self.dimensions = dimensions }

  /// Elements in all; no more than `Shape.largest`, which stands for more than any machine holds.
  public var count: Int {
    dimensions.reduce(1) { product, extent in
      let (result, overflow) = product.multipliedReportingOverflow(by: extent)
      return overflow ? Shape.largest : min(result, Shape.largest)
    }
  }

  static let largest = 1 << 60

  public var description: String { dimensions.map(String.init).joined(separator: "x") }
}
