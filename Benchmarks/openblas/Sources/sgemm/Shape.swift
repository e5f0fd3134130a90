/// One product to compare: m x n sums over a depth of k.
struct Shape {
  enum Form: String {
    /// x w
    case plain = "x w"
    /// x^T dy
    case leftTransposed = "x^T dy"
    /// dy w^T
    case rightTransposed = "dy w^T"
  }

  var m, n, k: Int
  var form = Form.plain

  var operations: Double { 2 * Double(m) * Double(n) * Double(k) }

  /// The shapes of the training example, forward and backward, and others: small, narrow, square,
  /// prime.
  static let all = [
    Shape(m: 128, n: 512, k: 784),
    Shape(m: 128, n: 256, k: 512),
    Shape(m: 128, n: 10, k: 256),
    Shape(m: 512, n: 784, k: 128, form: .leftTransposed),
    Shape(m: 256, n: 512, k: 128, form: .leftTransposed),
    Shape(m: 32, n: 512, k: 784),
    Shape(m: 64, n: 128, k: 9216),
    Shape(m: 1, n: 512, k: 784),
    Shape(m: 1024, n: 1024, k: 1024),
    Shape(m: 2000, n: 300, k: 77),
    Shape(m: 7, n: 1000, k: 33),
  ]

  /// Beside the goal's shapes: the gradient by the input, and where `sgemm` is not all there is.
  static let others = [
    Shape(m: 128, n: 512, k: 256, form: .rightTransposed),
    Shape(m: 128, n: 784, k: 512, form: .rightTransposed),
    Shape(m: 1, n: 784, k: 512, form: .rightTransposed),
    Shape(m: 256, n: 10, k: 128, form: .leftTransposed),
    Shape(m: 2, n: 512, k: 784),
    Shape(m: 4, n: 512, k: 784),
    Shape(m: 16, n: 512, k: 784),
    Shape(m: 1024, n: 1024, k: 1024, form: .leftTransposed),
    Shape(m: 1024, n: 1024, k: 1024, form: .rightTransposed),
    Shape(m: 576, n: 64, k: 3136, form: .leftTransposed),
    Shape(m: 512, n: 512, k: 512, form: .leftTransposed),
    Shape(m: 768, n: 512, k: 256, form: .leftTransposed),
  ]
}
