import Datasets
import Kernels
import NN

/// Decides what becomes of a run whose numbers are no longer finite, and says where that began.
///
/// What it goes by is the same on all ranks, and so are its decisions.
final class DivergenceGuard {
  private let plan: TrainingPlan
  private let replica: Replica
  private let world: World
  private let policy: DivergencePolicy

  init(_ plan: TrainingPlan, replica: Replica, world: World) {
    self.plan = plan
    self.replica = replica
    self.world = world
    policy = plan.configuration.divergence
  }

  /// Decides whether the update by a step's gradients is made. Collective.
  /// - Throws: `JointFailure` if the run has to end.
  func permitsUpdate(
    _ sums: BatchSums, _ step: Int, _ batch: Batch, _ record: inout DivergenceRecord, log: RunLog?
  ) throws -> Bool {
    guard !sums.isFinite else {
      record.endRow()
      return true
    }
    switch policy {
    case .stop:
      throw JointFailure(ExitStatus.diverged, try findings(sums, step, batch).withAdvice)
    case .skip(let most, let mostInARow):
      let findings = try findings(sums, step, batch)
      replica.restoreState()
      record.skip()
      guard record.skips <= most, record.skipsInARow <= mostInARow else {
        let limit =
          record.skips > most
          ? "training.divergence.max-skips is \(most)"
          : "training.divergence.max-skips-in-a-row is \(mostInARow)"
        throw JointFailure(ExitStatus.diverged, "\(findings.withAdvice) (\(limit))")
      }
      try log?.warn("skipped \(findings.text)")
      return false
    case .continue:
      if let heldBack = record.pace.admit(step) {
        let findings = try findings(sums, step, batch)
        try log?.warn(findings.text + WarningPace.text(heldBack: heldBack))
        // The search has left this rank's own gradient, where the sum has to be.
        replica.restoreState()
        _ = try replica.computeGradients(step, batch)
      }
      return true
    }
  }

  /// Ends a run whose `value` is not finite, unless it is to continue. What it is given is the same on
  /// all ranks.
  func requireFinite(_ value: Double, _ what: String, log: RunLog?) throws {
    guard !value.isFinite else { return }
    try refuse("the \(what) is \(value)", log: log)
  }

  /// The last update is seen by no loss.
  /// - Precondition: all ranks have the same parameters.
  func requireFiniteModel(log: RunLog?) throws {
    var search = FaultSearch(replica.network, kernels: replica.kernels)
    search.lookAtModel()
    if let fault = search.fault {
      try refuse("the run ends with \(fault.place) not finite", log: log)
    }
  }

  private func refuse(_ text: String, log: RunLog?) throws {
    guard policy == .continue else {
      throw JointFailure(ExitStatus.diverged, "\(text): \(advice)")
    }
    try log?.warn(text)
  }

  private var advice: String {
    let peak = plan.configuration.optimizer.schedule.peak
    var advice = "lower optimizer.learning-rate (\(peak))"
    if plan.configuration.optimizer.clipping == .none { advice += " or set optimizer.clip-norm" }
    return advice
  }

  // MARK: - What is said of a step

  private struct Findings {
    var text: String
    var advice: String
    var withAdvice: String { "\(text): \(advice)" }
  }

  /// Looks for where it began, and on which ranks. Collective; leaves each rank's own gradient.
  private func findings(_ sums: BatchSums, _ step: Int, _ batch: Batch) throws -> Findings {
    var symptoms: [String] = []
    if !sums.loss.isFinite {
      symptoms.append("the loss is \(sums.loss.isNaN ? "nan" : "\(sums.loss)")")
    }
    let gradients = replica.network.gradients
    if let tensor = FaultSearch.lastTensor(in: gradients, replica.kernels) {
      symptoms.append("the gradient of \(gradients.layout.tensors[tensor].name) is not finite")
    }
    let search = FaultOrigin(
      try world.gather(try replica.findFault(step, batch).map { describe($0, step, batch) }))
    let origin = search.text(hosts: world.hosts)
    return Findings(
      text: "\(place(of: step)): \(symptoms.joined(separator: ", and ")); \(origin)",
      advice: search.isOfData ? "look at the data" : advice)
  }

  /// A fault with the sample that it is of.
  private func describe(_ fault: NumericFault, _ step: Int, _ batch: Batch) -> NumericFault {
    guard let row = fault.row else { return fault }
    let sampler = plan.sampler
    let first = sampler.positions(ofBatch: step % sampler.batchesPerEpoch).lowerBound
    let order = sampler.order(epoch: step / sampler.batchesPerEpoch)
    var fault = fault
    fault.sample = order[first + batch.firstPosition + row]
    return fault
  }

  /// Such as `step 12 (epoch 2, batch 3: samples 129 to 192 of the epoch)`.
  private func place(of step: Int) -> String {
    let sampler = plan.sampler
    let batch = step % sampler.batchesPerEpoch
    let samples = sampler.positions(ofBatch: batch)
    return "step \(step + 1) (epoch \(step / sampler.batchesPerEpoch + 1), batch \(batch + 1): "
      + "samples \(samples.lowerBound + 1) to \(samples.upperBound) of the epoch)"
  }
}
