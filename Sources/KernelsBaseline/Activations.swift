import CKernels

func activationTable() -> CActivations {
  CActivations(
    leakyReLU: leakyReLU, leakyReLUGradient: leakyReLUGradient,
    gelu: geluOfAll, geluGradient: geluGradient,
    sigmoidGradient: sigmoidGradient, tanhGradient: tanhGradient,
    geluTanh: geluTanhOfAll, geluTanhGradient: geluTanhGradient)
}

func relu(_ count: Int, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>) {
  @inline(__always)
  func positive(_ x: Vector) -> Vector { x.replacing(with: 0, where: x .< Vector(repeating: 0)) }
  map(count, x, y, positive)
}

func reluGradient(
  _ count: Int, _ y: UnsafePointer<Float>, _ dy: UnsafePointer<Float>,
  _ dx: UnsafeMutablePointer<Float>
) {
  @inline(__always)
  func gradient(_ y: Vector, _ dy: Vector) -> Vector {
    Vector(repeating: 0).replacing(with: dy, where: y .> Vector(repeating: 0))
  }
  map(count, y, dy, dx, gradient)
}

private func leakyReLU(
  _ count: Int, _ slope: Float, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>
) {
  @inline(__always)
  func leaky(_ x: Vector) -> Vector {
    x.replacing(with: x * Vector(repeating: slope), where: x .< Vector(repeating: 0))
  }
  map(count, x, y, leaky)
}

private func leakyReLUGradient(
  _ count: Int, _ slope: Float, _ x: UnsafePointer<Float>, _ dy: UnsafePointer<Float>,
  _ dx: UnsafeMutablePointer<Float>
) {
  @inline(__always)
  func gradient(_ x: Vector, _ dy: Vector) -> Vector {
    (dy * Vector(repeating: slope)).replacing(with: dy, where: x .> Vector(repeating: 0))
  }
  map(count, x, dy, dx, gradient)
}

private func geluOfAll(
  _ count: Int, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>
) {
  map(count, x, y, gelu)
}

private func geluGradient(
  _ count: Int, _ x: UnsafePointer<Float>, _ dy: UnsafePointer<Float>,
  _ dx: UnsafeMutablePointer<Float>
) {
  @inline(__always)
  func gradient(_ x: Vector, _ dy: Vector) -> Vector { dy * geluDerivative(x) }
  map(count, x, dy, dx, gradient)
}

private func geluTanhOfAll(
  _ count: Int, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>
) {
  map(count, x, y, geluTanh)
}

private func geluTanhGradient(
  _ count: Int, _ x: UnsafePointer<Float>, _ dy: UnsafePointer<Float>,
  _ dx: UnsafeMutablePointer<Float>
) {
  @inline(__always)
  func gradient(_ x: Vector, _ dy: Vector) -> Vector { dy * geluTanhDerivative(x) }
  map(count, x, dy, dx, gradient)
}

private func sigmoidGradient(
  _ count: Int, _ y: UnsafePointer<Float>, _ dy: UnsafePointer<Float>,
  _ dx: UnsafeMutablePointer<Float>
) {
  @inline(__always)
  func gradient(_ y: Vector, _ dy: Vector) -> Vector { dy * (y * (Vector(repeating: 1) - y)) }
  map(count, y, dy, dx, gradient)
}

private func tanhGradient(
  _ count: Int, _ y: UnsafePointer<Float>, _ dy: UnsafePointer<Float>,
  _ dx: UnsafeMutablePointer<Float>
) {
  // Of 1 - y^2, the factors lose nothing where y is close to 1.
  @inline(__always)
  func gradient(_ y: Vector, _ dy: Vector) -> Vector {
    dy * ((Vector(repeating: 1) - y) * (Vector(repeating: 1) + y))
  }
  map(count, y, dy, dx, gradient)
}
