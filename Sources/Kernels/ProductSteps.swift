/// What the sums of a product start from.
public enum SumStart {
  case zero
  /// One float a column.
  case bias(UnsafePointer<Float>)
  /// What the result holds: the product is added to it.
  case result
}

/// What a product does to its sums before it is done with them, while they are in registers or in a
/// cache near by.
public enum SumFinish {
  case none
  /// max(sum, 0); NaN stays NaN.
  case relu
  /// The sum where `y` is positive, else 0: the gradient by the input of a ReLU whose output (or
  /// input) is `y`, of the result's shape.
  case reluGradient(_ y: Matrix)
  /// Any other function of one element: a kernel that may write over what it reads.
  case activation(ElementKernel)
}

extension SumFinish {
  /// The same for some rows of the result.
  func rows(_ range: Range<Int>) -> SumFinish {
    if case .reluGradient(let y) = self { .reluGradient(y.rows(range)) } else { self }
  }
}

/// y[i] = f(x[i]) for `count` elements, where `y` may be `x`.
public typealias ElementKernel =
  @convention(c) (_ count: Int, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>) -> Void

/// dx[i] = f(x[i], dy[i]) for `count` elements, where `dx` may be `x` or `dy`.
typealias ElementGradientKernel =
  @convention(c) (
    _ count: Int, _ x: UnsafePointer<Float>, _ dy: UnsafePointer<Float>,
    _ dx: UnsafeMutablePointer<Float>
  ) -> Void
