/// What a run remembers of steps whose numbers were not finite.
struct DivergenceRecord: Codable, Equatable {
  private(set) var skips = 0
  private(set) var skipsInARow = 0
  /// Of warnings about steps that were made all the same.
  var pace = WarningPace()

  mutating func skip() {
    skips += 1
    skipsInARow += 1
  }

  /// A step went well.
  mutating func endRow() { skipsInARow = 0 }
}
