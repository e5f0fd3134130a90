import Kernels

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
      round.transfers.reduce(0) { $0 + ($1.isReduced ? $1.range.count : 0) }
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
    for transfer in schedule.rounds[round].transfers where transfer.direction == .receive {
      var target = buffer.baseAddress! + transfer.range.lowerBound
      if transfer.isReduced {
        target = staged
        staged += transfer.range.count
      }
      pending.append(
        try executor.transport.startReceive(
          UnsafeMutableRawBufferPointer(
            UnsafeMutableBufferPointer(start: target, count: transfer.range.count)),
          from: transfer.peer, tag: tag))
    }
    for transfer in schedule.rounds[round].transfers where transfer.direction == .send {
      pending.append(
        try executor.transport.startSend(
          UnsafeRawBufferPointer(UnsafeMutableBufferPointer(rebasing: buffer[transfer.range])),
          to: transfer.peer, tag: tag))
    }
  }

  private func reduceStaged() {
    var staged = UnsafePointer(staging.base)
    for transfer in schedule.rounds[round].transfers where transfer.isReduced {
      executor.kernels.add(
        UnsafeBufferPointer(start: staged, count: transfer.range.count),
        to: UnsafeMutableBufferPointer(rebasing: buffer[transfer.range]))
      staged += transfer.range.count
    }
  }
}
