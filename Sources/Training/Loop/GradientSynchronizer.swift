import Collective
import NN

/// Adds up the ranks' gradients while backward is still at work: each bucket of the slab starts its
/// allreduce as soon as it is filled, from the slab's end to its start.
///
///     slab     | layer 0 | layer 1 | layer 2 | tail |
///     buckets  |--- 1 ---|--------- 0 --------------|      backward goes from right to left
final class GradientSynchronizer {
  private let group: ProcessGroup
  private let method: AllreduceMethod?
  private let slab: UnsafeMutableBufferPointer<Float>
  private let bucketSize: Int

  private var operations: [CollectiveOperation] = []
  /// Everything from here on has been started.
  private var frontier: Int

  /// - Parameters:
  ///   - method: nil to let the group choose for each bucket.
  ///   - bucketBytes: a bucket is started once it has this many bytes, or backward is over.
  init(
    _ gradients: Slab, group: ProcessGroup, method: AllreduceMethod?, bucketBytes: Int
  ) {
    self.group = group
    self.method = method
    slab = gradients.all
    bucketSize = max(1, bucketBytes / MemoryLayout<Float>.stride)
    frontier = gradients.all.count
    operations.reserveCapacity(gradients.all.count / bucketSize + 1)
  }

  /// Backward has filled everything from `offset` to the slab's end.
  func filled(from offset: Int) throws {
    // One moves all.
    try operations.last?.progress()
    if frontier - offset >= bucketSize || offset == 0 && frontier > 0 {
      let bucket = UnsafeMutableBufferPointer(rebasing: slab[offset..<frontier])
      operations.append(try group.startAllreduce(bucket, .sum, method))
      frontier = offset
    }
  }

  /// Blocks until the whole slab is the sum over all ranks.
  func finish() throws {
    for operation in operations { try operation.wait() }
    operations.removeAll(keepingCapacity: true)
    frontier = slab.count
  }
}
