/// A row-major matrix in somebody else's memory.
public struct Matrix {
  public let base: UnsafeMutablePointer<Float>
  public let rows: Int
  public let columns: Int

  public init(_ base: UnsafeMutablePointer<Float>, rows: Int, columns: Int) {
    self.base = base
    self.rows = rows
    self.columns = columns
  }

  public var count: Int { rows * columns }
  public var elements: UnsafeMutableBufferPointer<Float> { .init(start: base, count: count) }

  /// Row `i`: `columns` floats.
  public func row(_ i: Int) -> UnsafeMutablePointer<Float> { base + i * columns }
}
