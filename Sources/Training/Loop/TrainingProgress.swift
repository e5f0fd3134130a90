import Foundation

/// How far a run has come, and how it goes.
struct TrainingProgress: Codable, Equatable {
  static let completed = "completed"
  static let interrupted = "interrupted"
  static let outOfTime = "time-limit"

  /// `completed`, or what ended the run before its planned end: a rule, or a wish to stop.
  var status = completed
  private(set) var steps = 0
  private(set) var epochs = 0
  private(set) var samples = 0
  var timeToFirstStep = 0.0
  /// Mean loss over the samples of the last complete epoch; nil before its end.
  private(set) var epochLoss: Double?
  private(set) var evaluation: Evaluator.Result?
  private(set) var improvement = Improvement()
  var divergence = DivergenceRecord()
  var spike = LossSpike()
  /// Of warnings about the loss.
  var spikePace = WarningPace()
  /// Samples per second in each epoch, evaluation not counted.
  private(set) var epochRates: [Double] = []

  private var lossSum = 0.0
  /// Samples whose loss is in `lossSum`.
  private var lossSamples = 0
  private var samplesAtEpochStart = 0
  private var secondsAtEpochStart = 0.0
  private var samplesAtEvent = 0
  private var secondsAtEvent = 0.0

  /// A step is over.
  /// - Parameter counts: whether its loss counts: not that of a step without an update.
  mutating func record(step: Int, loss: Double, samples count: Int, counts: Bool = true) {
    steps = step + 1
    samples += count
    guard counts else { return }
    lossSum += loss * Double(count)
    lossSamples += count
  }

  mutating func rateSinceLastEvent(trainingSeconds: Double) -> Double {
    defer { (samplesAtEvent, secondsAtEvent) = (samples, trainingSeconds) }
    return Double(samples - samplesAtEvent) / max(trainingSeconds - secondsAtEvent, 1e-9)
  }

  /// - Parameter leastImprovement: of the loss, for the epoch to count as better than those before.
  mutating func endEpoch(
    _ result: Evaluator.Result?, trainingSeconds: Double, leastImprovement: Double = 0
  ) {
    let count = Double(samples - samplesAtEpochStart)
    epochs += 1
    epochLoss = lossSum / Double(lossSamples)
    improvement.record(
      epoch: epochs, loss: result?.loss ?? epochLoss ?? .nan, least: leastImprovement)
    epochRates.append(count / max(trainingSeconds - secondsAtEpochStart, 1e-9))
    evaluation = result
    lossSum = 0
    lossSamples = 0
    samplesAtEpochStart = samples
    secondsAtEpochStart = trainingSeconds
  }

  /// Samples per second: the median over epochs.
  var medianRate: Double {
    let sorted = epochRates.sorted()
    guard !sorted.isEmpty else { return 0 }
    return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
  }

  /// The last epoch in one line.
  func line(epochs planned: Int) -> String {
    let width = String(planned).count
    let number = String(repeating: " ", count: width - String(epochs).count) + "\(epochs)"
    var line =
      "epoch \(number)/\(planned)  step \(steps)  loss \(TrainingProgress.digits(epochLoss ?? .nan))"
    if let evaluation {
      line += "  test loss \(TrainingProgress.digits(evaluation.loss))"
      if let accuracy = evaluation.accuracy {
        line += String(format: "  accuracy %.2f %%", 100 * accuracy)
      }
    }
    return line + String(format: "  %.0f samples/s", epochRates.last ?? 0)
  }

  /// Enough digits for a number of any size.
  private static func digits(_ value: Double) -> String {
    String(format: value != 0 && abs(value) < 0.001 ? "%.3e" : "%.4f", value)
  }
}
