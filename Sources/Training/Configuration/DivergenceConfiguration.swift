/// What becomes of a step whose loss or gradient is not finite: the section `training.divergence`.
///
///     divergence: {policy: skip, max-skips: 100, max-skips-in-a-row: 10}
public enum DivergencePolicy: Equatable, Sendable {
  /// The run ends.
  case stop
  /// The update is not made; the run ends with the step that is one too many.
  case skip(most: Int, mostInARow: Int)
  /// The update is made, whatever comes of it.
  case `continue`

  private enum Name: String, CaseIterable {
    case stop
    case skip
    case `continue`
  }

  init(_ reader: ConfigurationReader, _ path: String) {
    let name = reader.choice("\(path).policy", default: Name.stop)
    switch name {
    case .stop: self = .stop
    case .continue: self = .continue
    case .skip:
      let most = reader.integer("\(path).max-skips", default: 100, in: 0...1 << 31)
      self = .skip(
        most: most,
        mostInARow: reader.integer(
          "\(path).max-skips-in-a-row", default: min(10, most), in: 0...1 << 31))
    }
    reader.refuseKeys(
      ofOthersThan: name.rawValue,
      among: [
        (Name.stop.rawValue, []), (Name.skip.rawValue, ["max-skips", "max-skips-in-a-row"]),
        (Name.continue.rawValue, []),
      ], in: path)
  }
}
