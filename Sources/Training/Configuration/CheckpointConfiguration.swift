/// The `checkpoint` section: when a run's state is saved, and how much of it stays.
public struct CheckpointConfiguration: Equatable, Sendable {
  /// Steps between two checkpoints; 0 for none, at the end neither.
  public var everySteps: Int
  /// Seconds after which one is saved in between.
  public var everySeconds: Double?
  /// The newest ones that stay.
  public var keep: Int
  /// By what the best one is told, which stays beside them.
  public var keepBest: Score

  /// What makes one model better than another.
  public enum Score: String, CaseIterable, Sendable {
    case none
    case loss
    case accuracy
  }

  init(_ reader: ConfigurationReader) {
    everySteps = reader.integer("checkpoint.every-steps", default: 500, in: 0...1 << 31)
    everySeconds = reader.optionalNumber("checkpoint.every-seconds", in: 0.001...1e9)
    keep = reader.integer("checkpoint.keep", default: 3, in: 1...1 << 31)
    keepBest = reader.choice("checkpoint.keep-best", default: .none)
  }

  /// Whether a run saves its state unasked.
  public var isOn: Bool { everySteps > 0 || everySeconds != nil }
}
