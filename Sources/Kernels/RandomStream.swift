/// Random numbers as a function of where they are used, never of who asks: Philox4x32-10
/// (Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
///
/// A stream is (seed, purpose, instance) - say, the shuffle of epoch 3 - and any of its blocks can
/// be computed at once, on any rank, in any order.
public struct RandomStream: Sendable {
  /// What the numbers are for: streams of different purposes never meet.
  public enum Purpose: UInt32, Sendable {
    case initialization = 1
    case shuffle = 2
    case syntheticData = 3
    case dropout = 4
  }

  private let key: SIMD2<UInt32>
  private let purpose: UInt32
  private let instance: UInt32

  /// - Parameter instance: which one of its purpose: the epoch of a shuffle, the number of a
  ///   tensor.
  public init(seed: UInt64, purpose: Purpose, instance: Int) {
    key = SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
    self.purpose = purpose.rawValue
    self.instance = UInt32(instance)
  }

  /// Four random words: Philox with the counter (index low, index high, purpose, instance).
  public func block(_ index: UInt64) -> SIMD4<UInt32> {
    RandomStream.philox(
      counter: SIMD4(
        UInt32(truncatingIfNeeded: index), UInt32(truncatingIfNeeded: index >> 32), purpose,
        instance),
      key: key)
  }

  /// The upper half of the counter, and the key, low words first.
  var upperCounter: UInt64 { UInt64(purpose) | UInt64(instance) << 32 }
  var wholeKey: UInt64 { UInt64(key.x) | UInt64(key.y) << 32 }

  /// Four floats in 0..<1, multiples of 2^-24.
  public func uniforms(_ index: UInt64) -> SIMD4<Float> {
    SIMD4<Float>(block(index) &>> 8) * 0x1p-24
  }

  /// Fills `buffer` with floats in -bound..<bound: element i is lane i % 4 of block i / 4.
  public func fillUniform(_ buffer: UnsafeMutableBufferPointer<Float>, bound: Float) {
    var i = 0
    while i < buffer.count {
      let values = (uniforms(UInt64(i / 4)) * 2 - 1) * bound
      for lane in 0..<min(4, buffer.count - i) { buffer[i + lane] = values[lane] }
      i += 4
    }
  }

  static func philox(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
    var c = counter
    var k = key
    for _ in 0..<10 {
      let a = UInt64(c.x) * 0xD251_1F53
      let b = UInt64(c.z) * 0xCD9E_8D57
      c = SIMD4(
        UInt32(truncatingIfNeeded: b >> 32) ^ c.y ^ k.x, UInt32(truncatingIfNeeded: b),
        UInt32(truncatingIfNeeded: a >> 32) ^ c.w ^ k.y, UInt32(truncatingIfNeeded: a))
      k = SIMD2(k.x &+ 0x9E37_79B9, k.y &+ 0xBB67_AE85)
    }
    return c
  }
}
