import Foundation

/// The learning rate as a function of the step.
public struct LearningRateSchedule: Equatable, Sendable {
  public enum Shape: String, CaseIterable, Sendable {
    case constant
    /// Half a cosine from the peak to 0 over the steps after the warm-up (Loshchilov & Hutter,
    /// ICLR 2017, without restarts).
    case cosine
  }

  public var shape: Shape
  /// The rate at its highest.
  public var peak: Double
  /// Steps during which the rate rises linearly; step 0 already learns, at peak / warmupSteps.
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
    switch shape {
    case .constant: return Float(peak)
    case .cosine:
      let progress = Double(step - warmupSteps) / Double(max(1, totalSteps - warmupSteps))
      return Float(peak * 0.5 * (1 + cos(.pi * min(progress, 1))))
    }
  }
}
