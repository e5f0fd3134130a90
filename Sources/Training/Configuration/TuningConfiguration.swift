import Collective

/// What `collective.algorithm: auto` goes by.
public enum TuningConfiguration: Equatable, Sendable {
  /// Fixed limits.
  case rules
  /// Links and arithmetic, measured at the start where there is something to choose.
  case measure
  /// The tuning table of that path.
  case table(String)

  init(_ reader: ConfigurationReader) {
    let word = reader.value(
      "collective.tuning", default: "measure", "measure, rules, or the path of a tuning table",
      parse: { $0.string.flatMap { $0.isEmpty ? nil : $0 } }, text: ConfigurationReader.quote)
    self =
      switch word {
      case "rules": .rules
      case "measure": .measure
      default: .table(word)
      }
  }

  /// Reads the table, if it is one.
  /// - Throws: `TuningTableError`.
  func open() throws -> MethodChoice {
    switch self {
    case .rules: .rules
    case .measure: .measured
    case .table(let path): .table(try TuningTable(contentsOf: path))
    }
  }
}

extension TrainingConfiguration {
  /// What the group is to choose by. Where a schedule is prescribed, there is no choice to prepare
  /// for.
  /// - Throws: `TuningTableError`.
  func methodChoice() throws -> MethodChoice {
    if case .schedule = algorithm { return .rules }
    return try tuning.open()
  }
}
