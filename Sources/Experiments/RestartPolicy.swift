/// Whether a job that has failed is started again, and how soon.
public struct RestartPolicy: Sendable {
  /// What a restart costs that follows one without progress; others cost 1.
  private static let costWithoutProgress = 2
  private static let longestPause = 60

  /// Restarts that may be paid for.
  public let limit: Int
  /// Restarts so far.
  public private(set) var count = 0
  private var spent = 0
  /// The step from which the job last started.
  private var start: Int

  /// - Parameter step: of the checkpoint from which the job starts; 0 without one.
  public init(limit: Int, step: Int) {
    self.limit = limit
    start = step
  }

  /// A rank or a host that was lost, an internal fault, a failing disk: another attempt may go
  /// better. Wrong input stays wrong, and what was asked to stop stays stopped.
  public static func isWorthAnother(exitCode: Int32) -> Bool {
    [69, 70, 74].contains(exitCode) || exitCode > 128
  }

  /// Seconds until the next start, or nil if there shall be none.
  /// - Parameter step: of the newest checkpoint.
  public mutating func pause(afterExitCode code: Int32, step: Int) -> Int? {
    guard RestartPolicy.isWorthAnother(exitCode: code) else { return nil }
    let cost = count == 0 || step > start ? 1 : RestartPolicy.costWithoutProgress
    guard spent + cost <= limit else { return nil }
    spent += cost
    count += 1
    start = step
    return min(1 << min(count - 1, 6), RestartPolicy.longestPause)
  }
}
