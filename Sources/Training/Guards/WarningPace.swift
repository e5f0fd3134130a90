/// How often one kind of warning is given: the first at once, others at most once in so many steps.
struct WarningPace: Codable, Equatable {
  /// Steps between two warnings.
  static let interval = 100

  private var last: Int?
  private var heldBack = 0

  /// Whether to warn of what has happened in `step`.
  /// - Returns: nil to be silent, or how many times this was so since the last warning.
  mutating func admit(_ step: Int) -> Int? {
    if let last, step - last < WarningPace.interval {
      heldBack += 1
      return nil
    }
    defer { (last, heldBack) = (step, 0) }
    return heldBack
  }

  /// What stands behind a message.
  static func text(heldBack: Int) -> String {
    heldBack == 0 ? "" : " (and \(heldBack) more since the last warning)"
  }
}
