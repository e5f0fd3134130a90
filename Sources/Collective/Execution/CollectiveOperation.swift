/// A collective under way. It moves when `progress()` is called, and ends in `wait()`.
public final class CollectiveOperation {
  enum Work {
    case nothing
    /// What is in `channels`.
    case schedules
    case node(NodeAllreduce)
  }

  private unowned let group: ProcessGroup
  var work = Work.nothing
  /// Schedules of parts of the buffer that run side by side.
  var channels: [LentRun] = []
  /// Compares the ranks' calls over messages, where they do not share memory. It is kept for the
  /// operation's next use.
  var check: CallCheck?
  /// Compares them in shared memory, where `work` does not do so itself.
  var arrival: NodeAllreduce?
  var call: UInt64 = 0
  /// Its place among the group's calls, from 1; 0 when it has been waited for.
  var number = 0

  init(group: ProcessGroup) {
    self.group = group
    channels.reserveCapacity(ProcessGroup.channels)
  }

  /// Whether the result is there.
  public internal(set) var isComplete = true

  /// Starts what can be started and finishes what has arrived, of all operations of the group,
  /// without blocking; true when this one is complete.
  @discardableResult
  public func progress() throws -> Bool {
    try group.progress()
    return isComplete
  }

  /// Blocks until the result is there. Call it once; the operation must not be used afterwards.
  /// - Returns: what the ranks have found out about the result, if they were to look at it.
  @discardableResult
  public func wait() throws -> Finiteness {
    precondition(number > 0, "an operation is waited for once")
    return try group.wait(for: self)
  }

  /// Of the result, when it is there.
  var finiteness: Finiteness {
    if case .node(let run) = work { run.finiteness } else { .unknown }
  }

  /// Differs whenever it has moved.
  var progressMark: Int {
    switch work {
    case .nothing: number
    case .schedules: channels.reduce(number) { $0 &+ $1.run.progressMark }
    case .node(let run): number &+ run.progressMark
    }
  }

  private func progressChannels() throws -> Bool {
    var isComplete = true
    for channel in channels where try !channel.run.progress() { isComplete = false }
    return isComplete
  }

  /// Moves this operation alone.
  func advance() throws {
    var isDone =
      switch work {
      case .nothing: true
      case .schedules: try progressChannels()
      case .node(let run): run.isComplete
      }
    if let check, try !check.progress() { isDone = false }
    if let arrival, !arrival.isComplete { isDone = false }
    isComplete = isDone
  }
}
