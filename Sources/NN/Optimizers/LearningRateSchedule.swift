/// The learning rate as a function of the step.
///
/// During the warm-up it rises linearly; step 0 already learns, at peak / warmupSteps. Then the
/// shape begins. One that has an `end` reaches it, as a part of the peak, at the step that would
/// follow the run's last one.
public struct LearningRateSchedule: Equatable, Sendable {
  public enum Shape: Equatable, Sendable {
    case constant
    /// A straight line.
    case linear(end: Double)
    /// Times gamma after every step.
    case exponential(gamma: Double)
    /// Times gamma at every so many steps, counted from the run's first.
    case steps(every: Int, gamma: Double)
    /// Times gamma at each of these steps, counted from the run's first; in ascending order.
    case milestones([Int], gamma: Double)
    /// Half a cosine (Loshchilov & Hutter, ICLR 2017, without restarts).
    case cosine(end: Double)
    /// The straight line, with its distance from the end raised to a power.
    case polynomial(power: Double, end: Double)
  }

  public var shape: Shape
  /// The rate at its highest.
  public var peak: Double
  public var warmupSteps: Int

  public init(shape: Shape = .constant, peak: Double, warmupSteps: Int = 0) {
    self.shape = shape
    self.peak = peak
    self.warmupSteps = warmupSteps
  }

  /// The rate for `step`, counted from 0.
  /// - Parameter totalSteps: the steps of the whole run.
  public func rate(step: Int, totalSteps: Int) -> Float {
    if step < warmupSteps { return Float(peak * Double(step + 1) / Double(warmupSteps)) }
    return Float(peak * factor(step: step, totalSteps: totalSteps))
  }

  /// Whether the rate of a step changes with the number of steps of the whole run.
  public var dependsOnTotalSteps: Bool {
    switch shape {
    case .constant, .exponential, .steps, .milestones: false
    case .linear, .cosine, .polynomial: true
    }
  }

  /// What the rate is of the peak, after the warm-up.
  private func factor(step: Int, totalSteps: Int) -> Double {
    let progress = min(
      1, Double(step - warmupSteps) / Double(max(1, totalSteps - warmupSteps)))
    switch shape {
    case .constant: return 1
    case .linear(let end): return end + (1 - end) * (1 - progress)
    case .exponential(let gamma): return power(gamma, step - warmupSteps)
    case .steps(let every, let gamma): return power(gamma, step / every)
    case .milestones(let milestones, let gamma):
      return power(gamma, milestones.count { $0 <= step })
    case .cosine(let end): return end + (1 - end) * raisedCosine(progress)
    case .polynomial(let exponent, let end):
      return end + (1 - end) * power(1 - progress, exponent)
    }
  }
}
