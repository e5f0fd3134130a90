import Foundation

// Calls under way: how they move, how a rank waits for them, and what it says when that takes too
// long.

extension ProcessGroup {
  /// Moves all operations under way as far as they go without waiting.
  func progress() throws {
    try explained {
      try node?.progress()
      for operation in inFlight where !operation.isComplete { try operation.advance() }
    }
  }

  /// Differs whenever a call under way has moved.
  private var progressMark: Int {
    inFlight.reduce(across?.progressMark ?? 0) { $0 &+ $1.progressMark }
  }

  func wait(for operation: CollectiveOperation) throws -> Finiteness {
    var backoff = Backoff(spins: spins, core: core)
    var watch: StallWatch?
    while true {
      try progress()
      if operation.isComplete { break }
      if backoff.pause() { try look(at: &watch, operation) }
    }
    if watch != nil { options.waitObserver?.ended() }
    defer { retire(operation) }
    return operation.finiteness
  }

  private func retire(_ operation: CollectiveOperation) {
    switch operation.work {
    case .nothing: break
    case .schedules:
      for channel in operation.channels { channel.retire() }
      operation.channels.removeAll(keepingCapacity: true)
    case .node(let run):
      idleNodeRuns.append(run)
    }
    if let arrival = operation.arrival { idleNodeRuns.append(arrival) }
    operation.arrival = nil
    operation.work = .nothing
    operation.number = 0
    // The last one, unless several were started before any was waited for.
    let place = inFlight.lastIndex { $0 === operation }!
    inFlight.remove(at: place)
    idle.append(operation)
  }

  /// A message of another length than expected is a consequence of different calls, if calls
  /// differ: the board may tell, or this rank's neighbour, or another rank, which then ends the job
  /// with a better reason.
  func explained<Result>(_ body: () throws -> Result) throws -> Result {
    do {
      return try body()
    } catch let error where !(error is CallMismatch || error is RankLeft) {
      throw explanation(of: error)
    }
  }

  private func explanation(of error: any Error) -> any Error {
    var watch = StallWatch(limit: 1)
    do {
      var checks = inFlight.compactMap(\.check)
      while watch.phase() != .over {
        // What has failed is not asked again: on one node no message is part of the board's calls.
        if across == nil { try node?.progress() }
        checks = try checks.filter { try !$0.progress() }
        usleep(1000)
      }
    } catch let mismatch as CallMismatch {
      return mismatch
    } catch {}
    return error
  }

  /// What a wait has come to, looked at from time to time. The first look starts the watch and tells
  /// the observer.
  /// - Parameter mark: differs whenever a call under way has moved.
  /// - Throws: when a rank has left.
  func phase(of watch: inout StallWatch?, mark: Int) throws -> StallWatch.Phase {
    try transport.checkAllAreThere()
    if watch == nil {
      watch = StallWatch(limit: options.timeLimit)
      options.waitObserver?.waits()
    }
    if mark != watch!.mark {
      watch!.restart(mark: mark)
      options.waitObserver?.waits()
    }
    return watch!.phase()
  }

  private func look(at watch: inout StallWatch?, _ operation: CollectiveOperation) throws {
    // On one node the board knows.
    let board = checksOnBoard ? node : nil
    switch try phase(of: &watch, mark: progressMark) {
    case .none: break
    // To whoever waits for any of these calls.
    case .report: if board == nil { try rollCall.report(started) }
    case .listen: if board == nil { try rollCall.listen() }
    case .over:
      throw RankMissing(
        absentees: try board?.absentees ?? rollCall.absentees(operation.number), rank: rank,
        call: "\(CallSignature(word: operation.call))", seconds: watch!.elapsed)
    }
  }
}
