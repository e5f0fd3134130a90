import Kernels

/// The same numbers as one row: what is 28x28 becomes 784.
final class Flatten: Layer {
  static let definition = LayerDefinition("flatten", example: "flatten") { _ in
    { Flatten(inputShape: $0) }
  }

  let kind = "flatten"
  let inputShape: Shape
  var outputShape: Shape { Shape(inputShape.count) }
  let backwardReads: BackwardReads = []
  let inPlace = InPlace.unchanged

  init(inputShape: Shape) { self.inputShape = inputShape }

  func forward(_ x: Matrix, into y: Matrix, memory: LayerMemory, pass: Pass) {
    y.copy(x)
  }

  func backward(
    _ dy: Matrix, x: Matrix, y: Matrix, into dx: Matrix?, memory: LayerMemory, pass: Pass
  ) {
    dx?.copy(dy)
  }
}

extension Matrix {
  /// Takes over the elements of `other`, which may be the same memory.
  func copy(_ other: Matrix) {
    precondition(count == other.count)
    if base != other.base { base.update(from: other.base, count: count) }
  }
}
