/// Which elements of a layer's activations one step drops: a function of the seed, the layer, the
/// step, the sample and the element, the same on any number of ranks.
///
/// Element i of a sample is dropped if a random word is below rate * 2^32: word i % 4 of block i / 4
/// of Philox, with the sample's number as the upper half of the counter and a key drawn for the
/// layer and the step. Forward and backward pass draw the same words, and none are stored.
public struct DropoutMask: Sendable {
  let key: UInt64
  let threshold: UInt32
  /// By which kept elements are multiplied, so that their expectation stays: 1 / (1 - rate).
  public let scale: Float

  /// - Parameter layer: another number for every layer that drops.
  /// - Precondition: `rate`, the probability of a drop, is in 0..<1.
  public init(seed: UInt64, layer: Int, step: Int, rate: Float) {
    precondition(rate >= 0 && rate < 1)
    let block = RandomStream(seed: seed, purpose: .dropout, instance: layer).block(UInt64(step))
    key = UInt64(block.x) | UInt64(block.y) << 32
    threshold = UInt32(rate * 0x1p32)
    scale = 1 / (1 - rate)
  }

  /// Whether element `index` of sample `number` stays.
  public func keeps(_ index: Int, of number: Int) -> Bool {
    let (sample, block) = (UInt64(number), UInt64(index / 4))
    let words = RandomStream.philox(
      counter: SIMD4(
        UInt32(truncatingIfNeeded: block), UInt32(truncatingIfNeeded: block >> 32),
        UInt32(truncatingIfNeeded: sample), UInt32(truncatingIfNeeded: sample >> 32)),
      key: SIMD2(UInt32(truncatingIfNeeded: key), UInt32(truncatingIfNeeded: key >> 32)))
    return words[index % 4] >= threshold
  }
}

extension KernelSet {
  /// y = x with dropped elements times 0 and kept ones times `mask.scale` (Srivastava et al., JMLR
  /// 2014). Its own gradient: dx from dy with the same mask. `y` may be `x`.
  /// - Parameter firstSample: the number, within the step's global batch, of row 0; rows follow.
  public func dropout(_ x: Matrix, mask: DropoutMask, firstSample: Int, into y: Matrix) {
    precondition(x.rows == y.rows && x.columns == y.columns)
    divide(rowsOf: x, grain: Grain.functions, (x: x, y: y, mask: mask, first: firstSample)) {
      kernels, o, rows in
      for i in rows {
        kernels.table.random.dropout(
          o.x.columns, UInt64(o.first + i), o.mask.key, o.mask.threshold, o.mask.scale, o.x.row(i),
          o.y.row(i))
      }
    }
  }
}
