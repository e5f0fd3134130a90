// Activations and their gradients, elementwise. An output may be any of the inputs. `sigmoid` and
// `tanh` are among the functions.

extension KernelSet {
  /// y = max(x, 0); NaN stays NaN.
  public func relu(_ x: Matrix, into y: Matrix) {
    precondition(x.count == y.count)
    table.relu(x.count, x.base, y.base)
  }

  /// dx = dy where y > 0, else 0.
  public func reluGradient(_ y: Matrix, _ dy: Matrix, into dx: Matrix) {
    precondition(y.count == dy.count && y.count == dx.count)
    table.reluGradient(y.count, y.base, dy.base, dx.base)
  }

  /// y = x where x >= 0, else slope * x (Maas, Hannun & Ng, 2013).
  public func leakyReLU(_ x: Matrix, slope: Float, into y: Matrix) {
    precondition(x.count == y.count)
    table.activations.leakyReLU(x.count, slope, x.base, y.base)
  }

  /// dx = dy where x > 0, else slope * dy.
  public func leakyReLUGradient(_ x: Matrix, _ dy: Matrix, slope: Float, into dx: Matrix) {
    precondition(x.count == dy.count && x.count == dx.count)
    table.activations.leakyReLUGradient(x.count, slope, x.base, dy.base, dx.base)
  }

  /// y = x P(x), where P is the probability of a standard normal variable below x: GELU with the
  /// error function (Hendrycks & Gimpel, 2016), not its approximation by tanh. To 5 ulp, negative x
  /// included; -0 for -infinity.
  public func gelu(_ x: Matrix, into y: Matrix) {
    precondition(x.count == y.count)
    table.activations.gelu(x.count, x.base, y.base)
  }

  /// dx = dy (P(x) + x p(x)), with p the density of P.
  public func geluGradient(_ x: Matrix, _ dy: Matrix, into dx: Matrix) {
    precondition(x.count == dy.count && x.count == dx.count)
    table.activations.geluGradient(x.count, x.base, dy.base, dx.base)
  }

  /// y = x (1 + tanh u) / 2, u = sqrt(2 / pi) (x + 0.044715 x^3): GELU's approximation by tanh (Hendrycks
  /// & Gimpel, 2016), within 0.0005 of it. To 6 ulp, negative x included; -0 for -infinity.
  public func geluTanh(_ x: Matrix, into y: Matrix) {
    precondition(x.count == y.count)
    table.activations.geluTanh(x.count, x.base, y.base)
  }

  /// dx = dy times the derivative of `geluTanh`.
  public func geluTanhGradient(_ x: Matrix, _ dy: Matrix, into dx: Matrix) {
    precondition(x.count == dy.count && x.count == dx.count)
    table.activations.geluTanhGradient(x.count, x.base, dy.base, dx.base)
  }

  /// dx = dy y (1 - y), for y = sigmoid(x).
  public func sigmoidGradient(_ y: Matrix, _ dy: Matrix, into dx: Matrix) {
    precondition(y.count == dy.count && y.count == dx.count)
    table.activations.sigmoidGradient(y.count, y.base, dy.base, dx.base)
  }

  /// dx = dy (1 - y^2), for y = tanh(x).
  public func tanhGradient(_ y: Matrix, _ dy: Matrix, into dx: Matrix) {
    precondition(y.count == dy.count && y.count == dx.count)
    table.activations.tanhGradient(y.count, y.base, dy.base, dx.base)
  }

  /// Rows of `y` become the softmax of rows of `x`; they may be the same.
  public func softmax(_ x: Matrix, into y: Matrix) {
    precondition(x.rows == y.rows && x.columns == y.columns)
    table.softmax(x.rows, x.columns, x.base, y.base)
  }

  /// dx = y (dy - the row's sum of y dy), for y = softmax(x).
  public func softmaxGradient(_ y: Matrix, _ dy: Matrix, into dx: Matrix) {
    precondition(y.rows == dy.rows && y.columns == dy.columns)
    precondition(y.rows == dx.rows && y.columns == dx.columns)
    table.softmaxGradient(y.rows, y.columns, y.base, dy.base, dx.base)
  }
}
