/// Notices a loss that is far above the recent ones.
///
/// Mean m and mean square deviation v of the losses l are exponential averages with a = 1/50:
///
///     d = min(l - m, bound - m);  m += a d;  v = (1 - a) (v + a d^2)        (West, CACM 1979)
///     bound = m + deviations * max(sqrt(v), |m| / 50)
///
/// A loss above the bound is a spike. It enters the averages as the bound, so that a single one does
/// not hide the next, while a level that stays is learned. The least deviation keeps a loss that has
/// all but settled from being noisy by its last digits. Nothing is a spike in the first 50 steps.
struct LossSpike: Codable, Equatable {
  static let warmUp = 50
  private static let weight = 0.02

  private var count = 0
  private var mean = 0.0
  private var variance = 0.0

  /// Takes in a step's loss; one that is not finite is not its business.
  /// - Parameter deviations: how many make a spike.
  /// - Returns: the bound, if the loss is above it.
  mutating func observe(_ loss: Double, deviations: Double) -> Double? {
    guard loss.isFinite else { return nil }
    count += 1
    guard count > 1 else {
      mean = loss
      return nil
    }
    // The first losses all count the same.
    let weight = max(LossSpike.weight, 1 / Double(count))
    let bound = mean + deviations * max(variance.squareRoot(), abs(mean) / 50)
    let isSpike = count > LossSpike.warmUp && loss > bound
    let difference = (isSpike ? bound : loss) - mean
    mean += weight * difference
    variance = (1 - weight) * (variance + weight * difference * difference)
    return isSpike ? bound : nil
  }
}
