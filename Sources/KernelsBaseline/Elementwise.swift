// Loops that the compiler vectorises by itself. No multiply-add is fused here, so that the vector
// body and the scalar tail of a loop give the same bits.

func add(_ count: Int, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>) {
  for i in 0..<count { y[i] += x[i] }
}

func scale(_ count: Int, _ factor: Float, _ y: UnsafeMutablePointer<Float>) {
  for i in 0..<count { y[i] *= factor }
}

func convertBytes(
  _ count: Int, _ x: UnsafePointer<UInt8>, _ factor: Float, _ y: UnsafeMutablePointer<Float>
) {
  for i in 0..<count { y[i] = Float(x[i]) * factor }
}

func addBias(
  _ rows: Int, _ columns: Int, _ bias: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>
) {
  for i in 0..<rows {
    let row = y + i * columns
    for j in 0..<columns { row[j] += bias[j] }
  }
}
