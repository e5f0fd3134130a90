/// base^exponent by repeated squaring: the same bits on every machine, which the C library's `pow`
/// does not promise.
/// - Precondition: `exponent` is not negative.
func power(_ base: Double, _ exponent: Int) -> Double {
  precondition(exponent >= 0)
  var (result, square, rest) = (1.0, base, exponent)
  while rest > 0 {
    if rest & 1 == 1 { result *= square }
    square *= square
    rest >>= 1
  }
  return result
}
