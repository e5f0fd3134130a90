import Kernels

/// The order in which an epoch visits the samples: a function of seed and epoch, on every rank.
public struct Sampler: Equatable, Sendable {
  public let count: Int
  public let batchSize: Int
  public let seed: UInt64
  public let shuffles: Bool

  /// - Parameter shuffles: visit samples in a new order every epoch; else as they lie in the file.
  public init(count: Int, batchSize: Int, seed: UInt64, shuffles: Bool) {
    precondition(count > 0 && batchSize > 0)
    self.count = count
    self.batchSize = batchSize
    self.seed = seed
    self.shuffles = shuffles
  }

  /// The last batch of an epoch may be short.
  public var batchesPerEpoch: Int { (count + batchSize - 1) / batchSize }

  /// Positions in the epoch's order that batch `number` covers.
  public func positions(ofBatch number: Int) -> Range<Int> {
    number * batchSize..<min(count, (number + 1) * batchSize)
  }

  /// The samples of `epoch` in the order of visit: Fisher and Yates' shuffle from the last position
  /// to the first, where position i is exchanged with position word * (i + 1) / 2^32 and `word` is
  /// lane i % 4 of the epoch's random block i / 4.
  /// - Precondition: fewer than 2^32 samples.
  public func order(epoch: Int) -> [UInt32] {
    var order = (0..<UInt32(count)).map { $0 }
    guard shuffles else { return order }
    let stream = RandomStream(seed: seed, purpose: .shuffle, instance: epoch)
    order.withUnsafeMutableBufferPointer { order in
      var block = SIMD4<UInt32>()
      for i in stride(from: count - 1, to: 0, by: -1) {
        if i % 4 == 3 || i == count - 1 { block = stream.block(UInt64(i / 4)) }
        order.swapAt(i, Int((UInt64(block[i % 4]) * UInt64(i + 1)) >> 32))
      }
    }
    return order
  }
}
