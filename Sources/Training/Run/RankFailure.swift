/// An error that one rank throws in a run, and where that rank was. (That another has left - `RankLeft`
/// - is no failure of its own.)
public struct RankFailure: Error, CustomStringConvertible {
  public let cause: any Error
  let place: Place

  init(_ cause: any Error, at place: Place) {
    self.cause = cause
    self.place = place
  }

  /// Such as `step 120, communication (waiting): rank 3 has not arrived in allreduce(...)`.
  public var description: String { "\(place): \(cause)" }
}
