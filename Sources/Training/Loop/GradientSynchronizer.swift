import Collective
import NN

/// Adds up the ranks' gradients while backward is still at work: each bucket of the slab starts its
/// allreduce as soon as it is filled, from the slab's end to its start.
///
///     slab     | layer 0 | layer 1 | layer 2 | tail |
///     buckets  |--- 1 ---|--------- 0 --------------|      backward goes from right to left
final class GradientSynchronizer {
  private let executor: ScheduleExecutor
  private let algorithm: AllreduceAlgorithm?
  private let isCanonical: Bool
  private let slab: UnsafeMutableBufferPointer<Float>
  private let bucketSize: Int

  private var operations: [Allreduce] = []
  /// Everything from here on has been started.
  private var frontier: Int
  private let size: Int

  /// - Parameters:
  ///   - algorithm: nil to choose for each bucket.
  ///   - isCanonical: whether the choice must follow the canonical tree.
  ///   - bucketBytes: a bucket is started once it has this many bytes, or backward is over.
  init(
    _ gradients: Slab, executor: ScheduleExecutor, size: Int, algorithm: AllreduceAlgorithm?,
    isCanonical: Bool, bucketBytes: Int
  ) {
    self.executor = executor
    self.algorithm = algorithm
    self.isCanonical = isCanonical
    self.size = size
    slab = gradients.all
    bucketSize = max(1, bucketBytes / MemoryLayout<Float>.stride)
    frontier = gradients.all.count
    operations.reserveCapacity(gradients.all.count / bucketSize + 1)
  }

  /// Backward has filled everything from `offset` to the slab's end.
  func filled(from offset: Int) throws {
    for operation in operations { _ = try operation.progress() }
    if frontier - offset >= bucketSize || offset == 0 && frontier > 0 {
      let bucket = UnsafeMutableBufferPointer(rebasing: slab[offset..<frontier])
      let chosen =
        algorithm
        ?? .choice(
          byteCount: bucket.count * MemoryLayout<Float>.stride, size: size, canonical: isCanonical)
      operations.append(try executor.startAllreduce(bucket, chosen))
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
