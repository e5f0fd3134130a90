/// What travels behind the gradients: sums over all ranks that every rank knows after the step's
/// allreduce, so that means are exact however the samples are spread, and decisions are alike.
enum GradientTail {
  static let lossSum = 0
  static let samples = 1
  /// How many ranks were asked to interrupt the run.
  static let interrupts = 2
  /// How many ranks ask for the end of training because its time is up.
  static let timeIsUp = 3
  static let count = 16  // a cache line
}
