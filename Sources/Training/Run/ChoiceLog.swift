/// Takes what a group has measured and chosen to the run's log, which is there only when the run
/// begins.
final class ChoiceLog {
  private var early: [String] = []

  var log: RunLog? {
    didSet {
      early.forEach(add)
      early = []
    }
  }

  func add(_ message: String) {
    guard let log else { return early.append(message) }
    // A disk that is full is reported by the next event that is a result.
    try? log.record(AllreduceChoiceEvent(message: message))
    log.say(message)
  }
}
