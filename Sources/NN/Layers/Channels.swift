import Kernels

// Samples as rows of channels: the last dimension of a sample, at each of its positions.

extension Shape {
  /// The last extent.
  var channels: Int { dimensions.last ?? 1 }
}

extension Matrix {
  /// The same numbers with a row for each position of each sample.
  /// - Parameter channels: the last extent of a sample's shape.
  public func perPosition(channels: Int) -> Matrix {
    Matrix(base, rows: channels == 0 ? 0 : count / channels, columns: channels)
  }
}
