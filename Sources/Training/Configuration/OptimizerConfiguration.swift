import NN

/// The `optimizer` section.
public struct OptimizerConfiguration: Equatable, Sendable {
  public enum Name: String, CaseIterable, Sendable {
    case sgd
  }

  public var name: Name
  public var momentum: Float
  public var weightDecay: Float
  public var schedule: LearningRateSchedule

  init(_ reader: ConfigurationReader) {
    name = reader.choice("optimizer.name", default: .sgd)
    let learningRate = reader.number(
      "optimizer.learning-rate", default: 0.1, in: 0...Double(Float.greatestFiniteMagnitude))
    momentum = Float(reader.number("optimizer.momentum", default: 0, in: 0...1))
    weightDecay = Float(reader.number("optimizer.weight-decay", default: 0, in: 0...1e6))
    schedule = LearningRateSchedule(
      shape: reader.choice("optimizer.schedule.name", default: .constant),
      peak: learningRate,
      warmupSteps: reader.integer(
        "optimizer.schedule.warmup-steps", default: 0, in: 0...1 << 31))
  }
}
