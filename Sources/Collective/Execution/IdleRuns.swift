/// Runs of one kind that wait for the next call.
///
/// A class: a dictionary's arrays cannot be changed in place without taking memory from the heap.
final class IdleRuns {
  private var runs: [ScheduleRun] = []

  func take() -> ScheduleRun? { runs.popLast() }
  func put(_ run: ScheduleRun) { runs.append(run) }
}

/// A run under way that an executor has lent out.
struct LentRun {
  let run: ScheduleRun
  private let home: IdleRuns

  init(_ run: ScheduleRun, from home: IdleRuns) {
    self.run = run
    self.home = home
  }

  /// Gives it back for the next call of its kind, when it is complete.
  func retire() { home.put(run) }
}
