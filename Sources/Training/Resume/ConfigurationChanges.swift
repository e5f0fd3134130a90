/// What differs between the configuration that a checkpoint was made with and the one to go on with,
/// as far as the run would not be the same run any more.
struct ConfigurationChanges {
  /// A line each: `training.seed: 1 in the checkpoint, 2 here`.
  let lines: [String]

  /// Keys, or sections, that may change: they say when to stop, what to record, where things lie, and
  /// how work is spread; the numbers of each step stay what they are. A key that is not here has to
  /// stay.
  ///
  /// Data may lie elsewhere: their content is compared. `training.epochs` and `training.max-steps` are
  /// compared by what they come to.
  private static let free: Set<String> = [
    "checkpoint", "collective.algorithm", "collective.bucket-bytes", "collective.tuning",
    "data.test.features", "data.test.file", "data.test.labels", "data.test.targets",
    "data.train.features", "data.train.file", "data.train.labels", "data.train.targets", "log",
    "output", "training.accumulate", "training.check-replicas", "training.divergence",
    "training.epochs", "training.max-steps", "training.min-improvement", "training.patience",
    "training.spike-deviations", "training.stall-seconds", "training.target-accuracy",
    "training.target-loss", "training.threads", "training.time-limit",
  ]

  init(from old: TrainingConfiguration, to new: TrainingConfiguration) {
    let before = ConfigurationChanges.binding(old)
    let after = ConfigurationChanges.binding(new)
    let added = new.values.map(\.key).filter { after[$0] != nil && before[$0] == nil }
    let keys = old.values.map(\.key).filter { before[$0] != nil } + added
    lines = keys.filter { before[$0] != after[$0] }.map { key in
      "\(key): \(before[key] ?? "nothing") in the checkpoint, \(after[key] ?? "nothing") here"
    }
  }

  /// The values that have to stay, by key.
  private static func binding(_ configuration: TrainingConfiguration) -> [String: String] {
    var binding: [String: String] = [:]
    for value in configuration.values {
      let prefixes = value.path.indices.map { value.path[...$0].joined(separator: ".") }
      if !prefixes.contains(where: free.contains) { binding[value.key] = value.text }
    }
    return binding
  }
}

extension ConfigurationReader.Entry {
  fileprivate var key: String { path.joined(separator: ".") }
}
