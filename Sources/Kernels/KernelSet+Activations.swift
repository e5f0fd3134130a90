// Activations and their gradients, elementwise. An output may be any of the inputs. `sigmoid` and
// `tanh` are among the functions.

extension KernelSet {
  /// y = max(x, 0); NaN stays NaN.
  public func relu(_ x: Matrix, into y: Matrix) {
    apply(table.relu, grain: Grain.elements, x, y)
  }

  /// dx = dy where y > 0, else 0.
  public func reluGradient(_ y: Matrix, _ dy: Matrix, into dx: Matrix) {
    apply(gradient: table.reluGradient, grain: Grain.elements, y, dy, dx)
  }

  /// y = x where x >= 0, else slope * x (Maas, Hannun & Ng, 2013).
  public func leakyReLU(_ x: Matrix, slope: Float, into y: Matrix) {
    precondition(x.count == y.count)
    divide(elements: x.count, (x: x.base, y: y.base, slope: slope)) { kernels, o, part in
      kernels.table.activations.leakyReLU(
        part.count, o.slope, o.x + part.lowerBound, o.y + part.lowerBound)
    }
  }

  /// dx = dy where x > 0, else slope * dy.
  public func leakyReLUGradient(_ x: Matrix, _ dy: Matrix, slope: Float, into dx: Matrix) {
    precondition(x.count == dy.count && x.count == dx.count)
    divide(elements: x.count, (x: x.base, dy: dy.base, dx: dx.base, slope: slope)) {
      kernels, o, part in
      kernels.table.activations.leakyReLUGradient(
        part.count, o.slope, o.x + part.lowerBound, o.dy + part.lowerBound, o.dx + part.lowerBound)
    }
  }

  /// y = x P(x), where P is the probability of a standard normal variable below x: GELU with the
  /// error function (Hendrycks & Gimpel, 2016), not its approximation by tanh. To 5 ulp, negative x
  /// included; -0 for -infinity.
  public func gelu(_ x: Matrix, into y: Matrix) {
    apply(table.activations.gelu, grain: Grain.functions, x, y)
  }

  /// dx = dy (P(x) + x p(x)), with p the density of P.
  public func geluGradient(_ x: Matrix, _ dy: Matrix, into dx: Matrix) {
    apply(gradient: table.activations.geluGradient, grain: Grain.functions, x, dy, dx)
  }

  /// y = x (1 + tanh u) / 2, u = sqrt(2 / pi) (x + 0.044715 x^3): GELU's approximation by tanh (Hendrycks
  /// & Gimpel, 2016), within 0.0005 of it. To 5 ulp, negative x included; -0 for -infinity.
  public func geluTanh(_ x: Matrix, into y: Matrix) {
    apply(table.activations.geluTanh, grain: Grain.functions, x, y)
  }

  /// dx = dy times the derivative of `geluTanh`.
  public func geluTanhGradient(_ x: Matrix, _ dy: Matrix, into dx: Matrix) {
    apply(gradient: table.activations.geluTanhGradient, grain: Grain.functions, x, dy, dx)
  }

  /// dx = dy y (1 - y), for y = sigmoid(x).
  public func sigmoidGradient(_ y: Matrix, _ dy: Matrix, into dx: Matrix) {
    apply(gradient: table.activations.sigmoidGradient, grain: Grain.elements, y, dy, dx)
  }

  /// dx = dy (1 - y^2), for y = tanh(x).
  public func tanhGradient(_ y: Matrix, _ dy: Matrix, into dx: Matrix) {
    apply(gradient: table.activations.tanhGradient, grain: Grain.elements, y, dy, dx)
  }

  /// Rows of `y` become the softmax of rows of `x`; they may be the same.
  public func softmax(_ x: Matrix, into y: Matrix) {
    precondition(x.rows == y.rows && x.columns == y.columns)
    divide(rowsOf: x, grain: Grain.functions, (x: x, y: y)) { kernels, o, rows in
      let x = o.x.rows(rows)
      kernels.table.softmax(x.rows, x.columns, x.base, o.y.row(rows.lowerBound))
    }
  }

  /// dx = y (dy - the row's sum of y dy), for y = softmax(x).
  public func softmaxGradient(_ y: Matrix, _ dy: Matrix, into dx: Matrix) {
    precondition(y.rows == dy.rows && y.columns == dy.columns)
    precondition(y.rows == dx.rows && y.columns == dx.columns)
    divide(rowsOf: y, (y: y, dy: dy, dx: dx)) { kernels, o, rows in
      let (y, first) = (o.y.rows(rows), rows.lowerBound)
      kernels.table.softmaxGradient(y.rows, y.columns, y.base, o.dy.row(first), o.dx.row(first))
    }
  }
}
