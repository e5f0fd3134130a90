/// Takes what a group has chosen to the run's log, which is there only when the run begins.
final class ChoiceLog {
  var log: RunLog?

  func add(_ message: String) {
    // A disk that is full is reported by the next event that is a result.
    try? log?.record(AllreduceChoiceEvent(message: message))
    log?.say(message)
  }
}
