import CKernels

func functionTable() -> CFunctions {
  CFunctions(
    exponential: exponentialOfAll, logarithm: logarithmOfAll, tanh: tanhOfAll, erf: erfOfAll,
    sigmoid: sigmoidOfAll, softplus: softplusOfAll)
}

private func exponentialOfAll(
  _ count: Int, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>
) {
  map(count, x, y, exponential(_:))
}

private func logarithmOfAll(
  _ count: Int, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>
) {
  map(count, x, y, logarithm)
}

private func tanhOfAll(
  _ count: Int, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>
) {
  map(count, x, y, hyperbolicTangent)
}

private func erfOfAll(
  _ count: Int, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>
) {
  map(count, x, y, errorFunction)
}

private func sigmoidOfAll(
  _ count: Int, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>
) {
  map(count, x, y, logistic)
}

private func softplusOfAll(
  _ count: Int, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>
) {
  map(count, x, y, softplus)
}
