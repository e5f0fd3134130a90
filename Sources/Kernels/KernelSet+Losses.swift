// Losses, one per row, and the gradient of their sum over rows by `x`; `dx` may be `x`. A row's
// bits depend on that row only. NaN in a row makes its loss NaN.

extension KernelSet {
  /// losses[i] = -sum over j of t[j] log softmax(x[i])[j] and dx = softmax(x) - t, where t is
  /// 1 at the label and 0 elsewhere, and with smoothing s (Szegedy et al., CVPR 2016) the mixture
  /// (1 - s) t + s / columns.
  /// - Precondition: every label is in 0..<x.columns; `smoothing` is in 0..<1.
  public func softmaxCrossEntropy(
    _ x: Matrix, labels: UnsafePointer<Int32>, smoothing: Float = 0,
    losses: UnsafeMutablePointer<Float>, into dx: Matrix
  ) {
    precondition(x.rows == dx.rows && x.columns == dx.columns)
    precondition(smoothing >= 0 && smoothing < 1)
    check(labels: labels, of: x)
    table.losses.softmaxCrossEntropy(
      x.rows, x.columns, x.base, labels, smoothing, losses, dx.base)
  }

  /// losses[i] = the mean of (x[i] - targets[i])^2 over columns.
  public func squaredError(
    _ x: Matrix, targets: UnsafePointer<Float>, losses: UnsafeMutablePointer<Float>, into dx: Matrix
  ) {
    precondition(x.rows == dx.rows && x.columns == dx.columns)
    table.losses.squaredError(x.rows, x.columns, x.base, targets, losses, dx.base)
  }

  /// losses[i] = the mean of |x[i] - targets[i]| over columns; the gradient is 0 where they are
  /// equal.
  public func absoluteError(
    _ x: Matrix, targets: UnsafePointer<Float>, losses: UnsafeMutablePointer<Float>, into dx: Matrix
  ) {
    precondition(x.rows == dx.rows && x.columns == dx.columns)
    table.losses.absoluteError(x.rows, x.columns, x.base, targets, losses, dx.base)
  }

  /// losses[i] = the mean over columns of d^2 / 2 where d = |x - target| <= delta, and of
  /// delta (d - delta / 2) beyond (Huber, 1964).
  /// - Precondition: `delta` is positive.
  public func huber(
    _ x: Matrix, targets: UnsafePointer<Float>, delta: Float, losses: UnsafeMutablePointer<Float>,
    into dx: Matrix
  ) {
    precondition(x.rows == dx.rows && x.columns == dx.columns && delta > 0)
    table.losses.huber(x.rows, x.columns, delta, x.base, targets, losses, dx.base)
  }

  /// losses[i] = the mean of -t log p - (1 - t) log(1 - p) over columns, where p = sigmoid(x) and
  /// the targets t are in 0...1. From the logits x, the loss is finite and its gradient good
  /// however small p or 1 - p is.
  public func binaryCrossEntropy(
    _ x: Matrix, targets: UnsafePointer<Float>, losses: UnsafeMutablePointer<Float>, into dx: Matrix
  ) {
    precondition(x.rows == dx.rows && x.columns == dx.columns)
    table.losses.binaryCrossEntropy(x.rows, x.columns, x.base, targets, losses, dx.base)
  }

  /// losses[i] = the mean of max(0, 1 - t x) over columns, for targets t of -1 and 1; the gradient
  /// is 0 where t x = 1.
  public func hinge(
    _ x: Matrix, targets: UnsafePointer<Float>, losses: UnsafeMutablePointer<Float>, into dx: Matrix
  ) {
    precondition(x.rows == dx.rows && x.columns == dx.columns)
    table.losses.hinge(x.rows, x.columns, x.base, targets, losses, dx.base)
  }

  /// losses[i] = the sum of max(0, 1 + x[j] - x[label]) over all columns j but the label's, divided
  /// by the number of columns (Weston & Watkins, 1999; PyTorch's `MultiMarginLoss`).
  /// - Precondition: every label is in 0..<x.columns.
  public func multiClassHinge(
    _ x: Matrix, labels: UnsafePointer<Int32>, losses: UnsafeMutablePointer<Float>, into dx: Matrix
  ) {
    precondition(x.rows == dx.rows && x.columns == dx.columns)
    check(labels: labels, of: x)
    table.losses.multiClassHinge(x.rows, x.columns, x.base, labels, losses, dx.base)
  }

  private func check(labels: UnsafePointer<Int32>, of x: Matrix) {
    for i in 0..<x.rows { precondition(labels[i] >= 0 && labels[i] < x.columns) }
  }
}
