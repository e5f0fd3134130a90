import Kernels

/// Runs schedules over a transport. All ranks start the same operations in the same order; several
/// may be in flight at once.
///
/// A schedule and the memory to run it are made at the first call of a size and kept.
public final class ScheduleExecutor {
  let transport: any Transport
  let kernels: KernelSet
  private var idle: [Shape: [Allreduce]] = [:]
  /// Operations between start and wait: their memory is the transport's until then, whoever forgets them.
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
  /// - Complexity: the algorithm's `rounds(size:)` and `elementsSent(rank:size:count:)`.
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

  fileprivate func retire(_ operation: Allreduce) {
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

/// An allreduce in flight. It moves when `progress()` is called, and until it ends in `wait()`.
public final class Allreduce {
  let schedule: Schedule
  let algorithm: AllreduceAlgorithm
  private unowned let executor: ScheduleExecutor

  private var buffer = UnsafeMutableBufferPointer<Float>(start: nil, count: 0)
  private var tag = 0
  /// The round under way; `schedule.rounds.count` when all have completed.
  private var round: Int
  private var pending: [TransferID] = []
  /// Where what is to be reduced arrives, one range after the other.
  private let staging: AlignedBuffer

  init(_ schedule: Schedule, executor: ScheduleExecutor, algorithm: AllreduceAlgorithm) {
    self.schedule = schedule
    self.executor = executor
    self.algorithm = algorithm
    round = schedule.rounds.count
    let staged = schedule.rounds.map { round in
      round.transfers.reduce(0) { $0 + ($1.action == .receiveAndReduce ? $1.range.count : 0) }
    }
    staging = AlignedBuffer(count: staged.max() ?? 0)
    pending.reserveCapacity(schedule.rounds.map(\.transfers.count).max() ?? 0)
  }

  /// Whether all rounds have completed.
  public var isComplete: Bool { round == schedule.rounds.count }

  func start(_ buffer: UnsafeMutableBufferPointer<Float>, tag: Int) throws {
    precondition(isComplete && buffer.count == schedule.count)
    self.buffer = buffer
    self.tag = tag
    round = 0
    try startRounds()
  }

  /// Starts what can be started and finishes what has arrived, without blocking; true at the end.
  public func progress() throws -> Bool {
    while !isComplete {
      while let transfer = pending.last {
        guard try executor.transport.test(transfer) else { return false }
        pending.removeLast()
      }
      try finishRound()
    }
    return true
  }

  /// Blocks until the sum is in the buffer. Call it once per operation.
  public func wait() throws {
    while !isComplete {
      while let transfer = pending.last {
        try executor.transport.wait(transfer)
        pending.removeLast()
      }
      try finishRound()
    }
    executor.retire(self)
  }

  private func finishRound() throws {
    reduceStaged()
    round += 1
    try startRounds()
  }

  /// Starts the transfers of the current round, and passes over rounds that have none.
  private func startRounds() throws {
    while !isComplete, schedule.rounds[round].transfers.isEmpty { round += 1 }
    guard !isComplete else { return }
    // Receives first, so that an arriving message finds its place.
    var staged = staging.base
    for transfer in schedule.rounds[round].transfers where transfer.action != .send {
      var target = buffer.baseAddress! + transfer.range.lowerBound
      if transfer.action == .receiveAndReduce {
        target = staged
        staged += transfer.range.count
      }
      pending.append(
        try executor.transport.startReceive(
          UnsafeMutableRawBufferPointer(
            UnsafeMutableBufferPointer(start: target, count: transfer.range.count)),
          from: transfer.peer, tag: tag))
    }
    for transfer in schedule.rounds[round].transfers where transfer.action == .send {
      pending.append(
        try executor.transport.startSend(
          UnsafeRawBufferPointer(UnsafeMutableBufferPointer(rebasing: buffer[transfer.range])),
          to: transfer.peer, tag: tag))
    }
  }

  private func reduceStaged() {
    var staged = UnsafePointer(staging.base)
    for transfer in schedule.rounds[round].transfers where transfer.action == .receiveAndReduce {
      executor.kernels.add(
        UnsafeBufferPointer(start: staged, count: transfer.range.count),
        to: UnsafeMutableBufferPointer(rebasing: buffer[transfer.range]))
      staged += transfer.range.count
    }
  }
}
