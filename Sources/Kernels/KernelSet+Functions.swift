// Elementary functions of whole buffers. The bounds hold for every argument and every kernel set;
// an element's bits do not depend on where it lies. Errors are in ulp: units in the last place of
// the exact result.

extension KernelSet {
  /// y = e^x, to 1.1 ulp; 0 below -87.3 (no subnormal results) and infinity above 88.7.
  public func exponential(_ x: Matrix, into y: Matrix) {
    apply(table.functions.exponential, grain: Grain.functions, x, y)
  }

  /// y = log x, to 1 ulp; -infinity for 0 and NaN for negative numbers.
  public func logarithm(_ x: Matrix, into y: Matrix) {
    apply(table.functions.logarithm, grain: Grain.functions, x, y)
  }

  /// y = tanh x, to 1.5 ulp.
  public func tanh(_ x: Matrix, into y: Matrix) {
    apply(table.functions.tanh, grain: Grain.functions, x, y)
  }

  /// y = erf x, to 1.5 ulp.
  public func erf(_ x: Matrix, into y: Matrix) {
    apply(table.functions.erf, grain: Grain.functions, x, y)
  }

  /// y = 1 / (1 + e^-x), to 2.5 ulp; 0 below -87.3.
  public func sigmoid(_ x: Matrix, into y: Matrix) {
    apply(table.functions.sigmoid, grain: Grain.functions, x, y)
  }

  /// y = log(1 + e^x), to 3 ulp; 0 below -87.3.
  public func softplus(_ x: Matrix, into y: Matrix) {
    apply(table.functions.softplus, grain: Grain.functions, x, y)
  }
}
