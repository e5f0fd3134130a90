/// The left operand of a product, rows x depth.
enum LeftOperand {
  /// Element (i, d) is base[i * stride + d]: read where it lies.
  case rows(UnsafePointer<Float>, stride: Int)
  /// Element (i, d) is base[d * stride + i]: read where it lies.
  case columns(UnsafePointer<Float>, stride: Int)
  /// Written block by block when it is needed.
  case source(any LeftSource)
}

/// A left operand that does not lie in memory as a matrix, such as the patches of a convolution.
public protocol LeftSource {
  var rows: Int { get }
  var depth: Int { get }
  /// Floats behind a block that `write` may touch; none unless implemented.
  var slack: Int { get }

  /// Writes element (i, d) of `rows` x `depth` to
  /// block[(i - rows.lowerBound) * stride + d - depth.lowerBound].
  func write(
    rows: Range<Int>, depth: Range<Int>, to block: UnsafeMutablePointer<Float>, stride: Int)
}

extension LeftSource {
  public var slack: Int { 0 }
}
