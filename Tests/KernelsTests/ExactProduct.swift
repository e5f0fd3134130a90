/// A matrix product by its definition, in Double, and what its rounding errors are measured by.
struct ExactProduct {
  /// sum of a[i,d] b[d,j], row by row.
  var sums: [Double]
  /// sum of |a[i,d]| |b[d,j]|.
  var magnitudes: [Double]

  /// Element (i, d) of the left operand lies at `i * left.0 + d * left.1`, element (d, j) of the
  /// right one at `d * right.0 + j * right.1`.
  init(
    _ a: [Float], _ left: (Int, Int), _ b: [Float], _ right: (Int, Int), rows: Int, columns: Int,
    depth: Int
  ) {
    sums = [Double](repeating: 0, count: rows * columns)
    magnitudes = sums
    // Plain pointers and while: tests are not optimised.
    a.withUnsafeBufferPointer { a in
      b.withUnsafeBufferPointer { b in
        var i = 0
        while i < rows {
          var j = 0
          while j < columns {
            var sum = 0.0
            var magnitude = 0.0
            var d = 0
            while d < depth {
              let term = Double(a[i * left.0 + d * left.1]) * Double(b[d * right.0 + j * right.1])
              sum += term
              magnitude += term.magnitude
              d += 1
            }
            sums[i * columns + j] = sum
            magnitudes[i * columns + j] = magnitude
            j += 1
          }
          i += 1
        }
      }
    }
  }

  /// Elements of `c` whose error is above `roundings` times the unit roundoff times magnitude.
  func mismatches(_ c: Grid, roundings: Int) -> Int {
    precondition(c.values.count == sums.count)
    return c.values.indices.count {
      // Written so that NaN is a mismatch.
      !((Double(c.values[$0]) - sums[$0]).magnitude
        <= Double(roundings) * unitRoundoff * magnitudes[$0])
    }
  }
}
