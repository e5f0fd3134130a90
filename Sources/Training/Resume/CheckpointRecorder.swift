/// Saves a run's state while it goes on: says when, and records what became of it. Only the root has
/// one, for the replicas are equal: no other rank waits for it.
final class CheckpointRecorder {
  /// Why a state may have to be saved.
  enum Occasion {
    /// A step has been made, and more are to come.
    case step
    /// The run is over.
    case end
    /// The run is to go on in another process.
    case interruption
  }

  private let configuration: CheckpointConfiguration
  private let store: CheckpointStore
  private let program: Program
  private let log: RunLog
  private var writer: CheckpointWriter?
  /// The last step that has been saved, 0 if that has failed, and when.
  private var saved: (step: Int, seconds: Double)
  private var bestScore: Double

  /// - Parameters:
  ///   - step: the last one of which `store` has a checkpoint; 0 if it has none.
  ///   - seconds: since training began.
  init(
    _ configuration: CheckpointConfiguration, store: CheckpointStore, program: Program, log: RunLog,
    step: Int, seconds: Double
  ) {
    self.configuration = configuration
    self.store = store
    self.program = program
    self.log = log
    saved = (step, seconds)
    bestScore = store.best?.score ?? .infinity
  }

  /// Saves the run's state if it is time to.
  /// - Parameters:
  ///   - progress: as of the step's end: an evaluation that follows the step comes again.
  ///   - evaluation: how good the model is, if that is known.
  /// - Throws: if an interrupted run cannot be saved, `TensorFileFault`, or `TrainingError` (diverged) if
  ///   its numbers are not worth it. Of others the reader is warned.
  func save(
    _ progress: TrainingProgress, of trainer: Trainer, evaluation: Evaluator.Result?,
    _ occasion: Occasion
  ) throws {
    let seconds = trainer.clock.elapsed
    let score = evaluation.flatMap(self.score)
    let isBest = score.map { $0 < bestScore } ?? false
    let isLast = occasion != .step
    try settle(waits: isLast, seconds: seconds)
    guard isBest || isDue(progress.steps, seconds: seconds, occasion) else { return }
    // A finite gradient may lead to parameters that are not, and nobody has seen them yet.
    guard trainer.replica.isFinite else { return try refuse(progress.steps, occasion) }
    do {
      let writer = try self.writer ?? CheckpointWriter(store, groups: trainer.replica.tensors)
      self.writer = writer
      let record = try trainer.record(progress, program: program)
      // By the clock, it is time again after the next step.
      let waits = isBest || isLast || isDue(progress.steps)
      if try writer.save(record, score: score, whenBusy: waits ? .wait : .skip) {
        saved = (progress.steps, seconds)
        if isBest { bestScore = score! }
      }
      if isLast { try recordReceipts(of: writer.finish(), seconds: seconds) }
    } catch let fault as TensorFileFault where occasion != .interruption {
      try warn(fault)
    }
  }

  /// Records what has become of earlier checkpoints.
  private func settle(waits: Bool, seconds: Double) throws {
    do {
      try recordReceipts(of: waits ? writer?.finish() : writer?.collect(), seconds: seconds)
    } catch let fault as TensorFileFault {
      try warn(fault)
    }
  }

  /// Keeps the checkpoints that are there: the newest one stays one to go on from.
  private func refuse(_ step: Int, _ occasion: Occasion) throws {
    let text = "no checkpoint of step \(step): the model, or the optimizer's state, is not finite"
    switch occasion {
    case .step: try log.warn(text)
    case .end: break  // The run says so itself.
    case .interruption:
      throw TrainingError(
        ExitStatus.diverged, "\(text): go on from an earlier one with --resume auto")
    }
  }

  private func warn(_ fault: TensorFileFault) throws {
    saved.step = 0
    try log.warn("a checkpoint is missing, and training goes on: \(fault)")
  }

  /// Smaller is better.
  private func score(_ evaluation: Evaluator.Result) -> Double? {
    switch configuration.keepBest {
    case .none: nil
    case .loss: evaluation.loss
    case .accuracy: evaluation.accuracy.map { 1 - $0 }
    }
  }

  private func isDue(_ step: Int, seconds: Double, _ occasion: Occasion) -> Bool {
    guard step > saved.step else { return false }
    switch occasion {
    case .interruption: return true
    case .end: return configuration.isOn
    case .step:
      return isDue(step) || seconds - saved.seconds >= configuration.everySeconds ?? .infinity
    }
  }

  /// By the number of steps.
  private func isDue(_ step: Int) -> Bool {
    configuration.everySteps > 0 && step % configuration.everySteps == 0
  }

  private func recordReceipts(of receipts: [CheckpointReceipt]?, seconds: Double) throws {
    for receipt in receipts ?? [] {
      try log.record(
        CheckpointEvent(
          step: receipt.step, path: receipt.path, bytes: receipt.bytes, seconds: seconds))
    }
  }
}
