import Collective
import NN

/// Adds up the ranks' gradients while backward is still at work: each bucket of the slab, in all of its
/// planes, starts its allreduce as soon as it is filled, from the slab's end to its start.
///
///     slab     | layer 0 | layer 1 | layer 2 | tail |
///     buckets  |--- 1 ---|--------- 0 --------------|      backward goes from right to left
final class GradientSynchronizer {
  private let group: ProcessGroup
  private let method: AllreduceMethod?
  private let slab: UnsafeMutableBufferPointer<Float>
  private var buckets: GradientBuckets
  private var operations: [CollectiveOperation] = []

  /// - Parameters:
  ///   - method: nil to let the group choose for each bucket.
  ///   - bucketBytes: a bucket is started once it has this many bytes, or backward is over.
  init(
    _ gradients: Slab, group: ProcessGroup, method: AllreduceMethod?, bucketBytes: Int
  ) {
    self.group = group
    self.method = method
    slab = gradients.all
    buckets = GradientBuckets(count: gradients.all.count, bucketBytes: bucketBytes)
    operations.reserveCapacity(gradients.all.count / buckets.size + 1)
  }

  /// Backward has filled everything from `offset` to the slab's end.
  func filled(from offset: Int) throws {
    // One moves all.
    try operations.last?.progress()
    if let range = buckets.next(filledFrom: offset) {
      let bucket = UnsafeMutableBufferPointer(rebasing: slab[range])
      operations.append(
        try group.startSumOfPlanes(bucket, stride: slab.count, method, looksAtResult: true))
    }
  }

  /// Blocks until the whole first plane is the sum over all ranks.
  /// - Parameter ended: called when a bucket is done, with its number; the first to start is 0.
  /// - Returns: of the sum, its tail included, on all ranks alike.
  func finish(ended: (Int) throws -> Void = { _ in }) throws -> Finiteness {
    var finiteness = Finiteness.finite
    for (bucket, operation) in operations.enumerated() {
      finiteness = finiteness.and(try operation.wait())
      try ended(bucket)
    }
    operations.removeAll(keepingCapacity: true)
    buckets.restart()
    return finiteness
  }
}

/// How a slab of gradients is cut into buckets while it is filled from its end to its start.
struct GradientBuckets {
  /// Elements that a bucket has at least, unless it is the last.
  let size: Int
  private let count: Int
  /// Everything from here on is in a bucket.
  private var frontier: Int

  /// - Parameter count: elements of the slab, its tail included.
  init(count: Int, bucketBytes: Int) {
    self.count = count
    size = max(1, bucketBytes / MemoryLayout<Float>.stride)
    frontier = count
  }

  /// The bucket that is full once everything from `offset` on is filled, if one is.
  mutating func next(filledFrom offset: Int) -> Range<Int>? {
    guard frontier - offset >= size || offset == 0 && frontier > 0 else { return nil }
    defer { frontier = offset }
    return offset..<frontier
  }

  /// Begins the next step.
  mutating func restart() { frontier = count }
}
