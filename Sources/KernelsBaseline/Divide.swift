// Averages of sums.

func divideFloat32(_ count: Int, _ y: UnsafeMutableRawPointer, _ divisor: Int) {
  let elements = y.assumingMemoryBound(to: Float.self)
  let divisor = Float(divisor)
  for i in 0..<count {
    let quotient = elements[i] / divisor
    elements[i] = quotient == quotient ? quotient : .nan
  }
}

func divideFloat64(_ count: Int, _ y: UnsafeMutableRawPointer, _ divisor: Int) {
  let elements = y.assumingMemoryBound(to: Double.self)
  let divisor = Double(divisor)
  for i in 0..<count {
    let quotient = elements[i] / divisor
    elements[i] = quotient == quotient ? quotient : .nan
  }
}

/// Divides as Double, which vectors can: an exact quotient that is no integer is further from the
/// next one than a rounding of Double reaches (by 2^-31 of it at least, against 2^-53).
func divideInt32(_ count: Int, _ y: UnsafeMutableRawPointer, _ divisor: Int) {
  let elements = y.assumingMemoryBound(to: Int32.self)
  let divisor = Double(divisor)
  for i in 0..<count { elements[i] = Int32(Double(elements[i]) / divisor) }
}

func divideInt64(_ count: Int, _ y: UnsafeMutableRawPointer, _ divisor: Int) {
  let elements = y.assumingMemoryBound(to: Int64.self)
  let divisor = Int64(divisor)
  for i in 0..<count { elements[i] /= divisor }
}
