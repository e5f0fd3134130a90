// Functions with the same bits on every machine: of sums, products and square roots, which IEEE 754
// rounds in one way. The C library's differ between its versions, and between processors with and
// without fused multiplication: ranks of a mixed cluster would come to make different steps.

/// base^exponent by repeated squaring.
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

/// base^exponent, to a relative error of 2^-45 for an exponent up to 100: what is behind the exponent's
/// binary point is a product of square roots of square roots.
/// - Precondition: `base` is in 0...1, and `exponent` is not negative and less than 2^63.
func power(_ base: Double, _ exponent: Double) -> Double {
  precondition((0...1).contains(base) && exponent >= 0)
  let whole = exponent.rounded(.down)
  var (result, root, rest) = (power(base, Int(whole)), base, exponent - whole)
  while rest > 0 {
    root = root.squareRoot()
    rest *= 2
    if rest >= 1 {
      result *= root
      rest -= 1
    }
  }
  return result
}

/// (1 + cos(pi x)) / 2, to an error of 2^-51: 1 at 0, 0 at 1.
/// - Precondition: `x` is in 0...1.
func raisedCosine(_ x: Double) -> Double {
  precondition((0...1).contains(x))
  return x < 0.5 ? 1 - squareOfSine(x) : squareOfSine(1 - x)
}

/// sin(pi x / 2)^2 for x in 0...0.5, by the sine's series.
private func squareOfSine(_ x: Double) -> Double {
  let y = Double.pi / 2 * x
  let square = y * y
  var sum = 1.0
  for n in stride(from: 16, through: 2, by: -2) { sum = 1 - sum * square / Double(n * (n + 1)) }
  return (y * sum) * (y * sum)
}
