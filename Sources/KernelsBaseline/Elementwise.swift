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

func sumRows(
  _ rows: Int, _ columns: Int, _ x: UnsafePointer<Float>, _ sums: UnsafeMutablePointer<Float>
) {
  for j in 0..<columns { sums[j] = 0 }
  for i in 0..<rows {
    let row = x + i * columns
    for j in 0..<columns { sums[j] += row[j] }
  }
}

func relu(_ count: Int, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>) {
  for i in 0..<count { y[i] = x[i] < 0 ? 0 : x[i] }
}

func reluGradient(
  _ count: Int, _ y: UnsafePointer<Float>, _ dy: UnsafePointer<Float>,
  _ dx: UnsafeMutablePointer<Float>
) {
  for i in 0..<count { dx[i] = y[i] > 0 ? dy[i] : 0 }
}

func squaredError(
  _ rows: Int, _ columns: Int, _ x: UnsafePointer<Float>, _ targets: UnsafePointer<Float>,
  _ losses: UnsafeMutablePointer<Float>, _ dx: UnsafeMutablePointer<Float>
) {
  let share = 1 / Float(columns)
  for i in 0..<rows {
    var sum: Float = 0
    for j in i * columns..<(i + 1) * columns {
      let difference = x[j] - targets[j]
      sum += difference * difference
      dx[j] = 2 * difference * share
    }
    losses[i] = sum * share
  }
}
