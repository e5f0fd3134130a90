import Kernels

/// In training, each number becomes zero with probability `rate`, and the others are divided by
/// 1 - rate (Srivastava et al., JMLR 2014); in evaluation nothing happens.
///
/// What is dropped is a function of seed, layer, step, sample and place within the sample, never of
/// the rank; the backward pass draws it again.
final class Dropout: Layer {
  static let definition = LayerDefinition("dropout", main: "rate", example: "{dropout: 0.5}") {
    let rate = Float($0.number("rate", in: 0...0.99))
    return { Dropout(inputShape: $0, rate: rate) }
  }

  let kind = "dropout"
  let inputShape: Shape
  var outputShape: Shape { inputShape }
  let backwardReads: BackwardReads = []
  let inPlace = InPlace.overwriting

  private let rate: Float

  init(inputShape: Shape, rate: Float) {
    self.inputShape = inputShape
    self.rate = rate
  }

  func forward(_ x: Matrix, into y: Matrix, memory: LayerMemory, pass: Pass) {
    drop(x, into: y, layer: memory.number, pass: pass)
  }

  func backward(
    _ dy: Matrix, x: Matrix, y: Matrix, into dx: Matrix?, memory: LayerMemory, pass: Pass
  ) {
    if let dx { drop(dy, into: dx, layer: memory.number, pass: pass) }
  }

  private func drop(_ x: Matrix, into y: Matrix, layer: Int, pass: Pass) {
    guard pass.mode == .training, rate > 0 else {
      y.copy(x)
      return
    }
    let mask = DropoutMask(seed: pass.seed, layer: layer, step: pass.step, rate: rate)
    pass.kernels.dropout(x, mask: mask, firstSample: pass.firstSample, into: y)
  }
}
