/// The rules that end a run before its planned end. `summary.json` calls a run by the rule that ended
/// it.
struct StoppingRules {
  private let configuration: TrainingConfiguration

  init(_ configuration: TrainingConfiguration) { self.configuration = configuration }

  /// Whether a run that has gone on for so many seconds is to end. Ranks' clocks differ: one rank asks,
  /// and all end after the same step.
  func isTimeUp(_ seconds: Double) -> Bool {
    configuration.timeLimit.map { seconds >= $0.seconds } ?? false
  }

  /// The rule that ends a run after the epoch that `progress` has just finished; nil if none does.
  func verdict(_ progress: TrainingProgress) -> String? {
    if let target = configuration.targetLoss, let loss = progress.epochLoss, loss <= target {
      return "target-loss"
    }
    if let target = configuration.targetAccuracy, let accuracy = progress.evaluation?.accuracy,
      accuracy >= target
    {
      return "target-accuracy"
    }
    if let patience = configuration.patience, progress.improvement.epochsWithout >= patience {
      return "patience"
    }
    return nil
  }
}

/// Which epoch was best, and for how long there has been no improvement: by the loss on the test set or,
/// without one, by the mean loss of training.
struct Improvement: Codable, Equatable {
  /// Of the lowest loss so far; counted from 1.
  private(set) var bestEpoch: Int?
  private(set) var bestLoss: Double?
  /// Epochs since the loss was last lower than before by more than the least improvement.
  private(set) var epochsWithout = 0
  /// What the next improvement is measured from.
  private var reference: Double?

  /// - Parameter least: only a loss that is lower by more than this is an improvement.
  mutating func record(epoch: Int, loss: Double, least: Double) {
    if loss.isFinite, loss < bestLoss ?? .infinity { (bestEpoch, bestLoss) = (epoch, loss) }
    if loss.isFinite, loss < (reference ?? .infinity) - least {
      reference = loss
      epochsWithout = 0
    } else {
      epochsWithout += 1
    }
  }
}
