import Foundation

/// The clock of one long wait.
struct StallWatch {
  enum Phase {
    case none
    /// A third of the limit has passed; said once.
    case report
    /// Two thirds; said once.
    case listen
    /// All of it.
    case over
  }

  private var start = DispatchTime.now()
  /// Seconds; nil for no limit.
  private let limit: Double?
  private var last = Phase.none

  init(limit: Double?) { self.limit = limit }

  /// What the calls under way had done when the wait began.
  private(set) var mark = 0

  /// Something has moved.
  mutating func restart(mark: Int) {
    self.mark = mark
    start = DispatchTime.now()
    last = .none
  }

  /// Seconds since the wait began.
  var elapsed: Double {
    Double(DispatchTime.now().uptimeNanoseconds - start.uptimeNanoseconds) / 1e9
  }

  /// What is to be done next.
  mutating func phase() -> Phase {
    guard let limit else { return .none }
    let share = elapsed / limit
    switch last {
    case .none where share > 1 / 3: last = .report
    case .report where share > 2 / 3: last = .listen
    case .listen where share > 1: last = .over
    case .over: break
    default: return .none
    }
    return last
  }
}
