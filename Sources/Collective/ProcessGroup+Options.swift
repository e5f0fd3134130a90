import Foundation

extension ProcessGroup {
  public struct Options {
    /// Ranks of a node exchange data through shared memory, and nodes piece by piece; else all
    /// ranks exchange messages.
    public var usesSharedMemory = true
    /// Sums are added up along the canonical tree, so that their bits do not depend on the
    /// algorithm, nor on the number of ranks where that is a power of two; with `tree`, on no number
    /// of ranks. Else the fastest order is taken.
    public var isCanonical = true
    /// The order of sums whose buffers have planes, on as many ranks as the group has; nil where all
    /// have one plane.
    public var tree: SumTree?
    /// What to go by when an allreduce leaves the method to the group.
    public var choice = MethodChoice.rules
    /// Calls of different counts, types, operations or order are found and named.
    public var checksCalls = true
    /// Seconds without any progress after which a call is given up; nil to wait for ever.
    public var timeLimit: Double? = 600
    /// Is told of long waits.
    public var waitObserver: (any WaitObserver)?
    /// Bytes, as accumulators, of the segments in which messages travel; alike on all ranks.
    var segmentSize = ScheduleRun.segmentSize
    /// Bytes of the last-level cache that are a rank's: larger results go past it.
    var cacheShare: Int?
    /// Is told what a user should know: a line, without a newline.
    public var warn: (String) -> Void = { line in
      try? FileHandle.standardError.write(contentsOf: Data("warning: \(line)\n".utf8))
    }

    /// Is told, on rank 0, what the group has chosen: a line for each size class, at its first
    /// allreduce.
    public var log: ((String) -> Void)?

    public init() {}
  }
}
