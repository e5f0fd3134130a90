import Kernels

/// Runs schedules over a transport. All ranks start the same operations in the same order; several
/// may be in flight at once.
///
/// A schedule and the memory to run it are made at the first call of a size and kept.
public final class ScheduleExecutor {
  let transport: any Transport
  let kernels: KernelSet
  private var idle: [Shape: [Allreduce]] = [:]
  /// Operations between start and wait: their memory is the transport's until then, even if their
  /// caller has forgotten them.
  private var inFlight: [ObjectIdentifier: Allreduce] = [:]
  private var started = 0

  private struct Shape: Hashable {
    var algorithm: AllreduceAlgorithm
    var count: Int
  }

  /// MPI guarantees tags up to 32767; messages of operations so far apart never meet.
  private static let tags = 16384

  public init(over transport: any Transport, kernels: KernelSet) {
    self.transport = transport
    self.kernels = kernels
  }

  /// Adds every rank's `buffer` elementwise and leaves the sum on all ranks, bit for bit equal.
  /// - Complexity: the algorithm's `rounds(size:count:)` and `elementsSent(rank:size:count:)`.
  /// - Throws: what the transport throws if a peer fails; the buffer's contents are then undefined.
  public func allreduce(
    _ buffer: UnsafeMutableBufferPointer<Float>, _ algorithm: AllreduceAlgorithm
  ) throws {
    try startAllreduce(buffer, algorithm).wait()
  }

  /// Starts an allreduce. `buffer` belongs to the operation until it has been waited for.
  public func startAllreduce(
    _ buffer: UnsafeMutableBufferPointer<Float>, _ algorithm: AllreduceAlgorithm
  ) throws -> Allreduce {
    let shape = Shape(algorithm: algorithm, count: buffer.count)
    let operation =
      idle[shape]?.popLast()
      ?? Allreduce(
        algorithm.schedule(rank: transport.rank, size: transport.size, count: buffer.count),
        executor: self, algorithm: algorithm)
    let tag = started % ScheduleExecutor.tags
    started += 1
    inFlight[ObjectIdentifier(operation)] = operation
    try operation.start(buffer, tag: tag)
    return operation
  }

  /// Takes back an operation that has been waited for, for the next one of its size.
  func retire(_ operation: Allreduce) {
    let known = inFlight.removeValue(forKey: ObjectIdentifier(operation))
    precondition(known != nil, "an allreduce is waited for once")
    let shape = Shape(algorithm: operation.algorithm, count: operation.schedule.count)
    idle[shape, default: []].append(operation)
  }
}

/// Adds every rank's `buffer` elementwise and leaves the sum on all ranks, bit for bit equal: a single
/// call, where nothing is worth keeping. Trainers keep a `ScheduleExecutor`.
public func allreduce(
  _ buffer: UnsafeMutableBufferPointer<Float>, _ algorithm: AllreduceAlgorithm,
  over transport: any Transport
) throws {
  let kernels = KernelSet(InstructionSet.supported.last!)
  try ScheduleExecutor(over: transport, kernels: kernels).allreduce(buffer, algorithm)
}
