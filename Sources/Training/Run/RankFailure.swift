/// What has ended one rank's part of a run, of which the others know nothing, with where that rank was.
/// (That another rank has left - `RankLeft` - is no failure of its own.)
public struct RankFailure: Error, CustomStringConvertible {
  public let cause: any Error
  let place: Place

  init(_ cause: any Error, at place: Place) {
    self.cause = cause
    self.place = place
  }

  /// Such as `step 120, checkpoint: runs/a/metrics.jsonl: cannot be written: No space left on device`.
  public var description: String { "\(place): \(cause)" }
}
