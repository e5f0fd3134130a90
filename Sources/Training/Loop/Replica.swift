import Collective
import Datasets
import Kernels
import NN

/// Why a rank asks all ranks to stop after a step: they hear of it with the gradients' sum.
struct StopRequest {
  /// The run's time is up.
  var timeIsUp = false
  /// Somebody has asked for it, who wants to go on later.
  var isInterrupted = false
}

/// What all ranks' parts of a batch came to: the same on every rank.
struct BatchSums {
  /// The mean over the batch, before the update.
  var loss: Double
  /// Whether neither the loss nor an element of the gradient is NaN or an infinity.
  var isFinite: Bool
  /// Of any rank.
  var stop: StopRequest
}

/// One rank's copy of the model - parameters, what layers remember, the optimizer's state - and the
/// step that changes it as all ranks change theirs: the gradient of the rank's part of the batch, the
/// sum of all ranks' gradients, the update.
package final class Replica {
  package let network: Network
  let optimizer: any Optimizer
  let kernels: KernelSet
  private let configuration: TrainingConfiguration
  private let synchronizer: GradientSynchronizer
  private let accumulation: AccumulationPlan
  private let accumulator: GradientAccumulator
  private let batchSum: GroupSum
  private let losses: AlignedBuffer
  /// What layers remembered before the step.
  private let earlierState: AlignedBuffer
  private let clock: PhaseClock
  /// Is told when a part of a step has ended. What it throws ends the step.
  package var ended: ((StepPart) throws -> Void)?

  /// Collective.
  /// - Parameter maximumRows: of any pass, evaluation included.
  init(
    _ plan: TrainingPlan, accumulation: AccumulationPlan, maximumRows: Int, group: ProcessGroup,
    kernels: KernelSet, clock: PhaseClock
  ) throws {
    configuration = plan.configuration
    self.accumulation = accumulation
    self.kernels = kernels
    self.clock = clock
    network = try Network(
      plan.network, maximumRows: maximumRows, gradientTail: GradientTail.count,
      gradientPlanes: AccumulationPlan.planes(
        plan.partition, passes: plan.configuration.passes),
      gradientMemory: { try group.allocate(Float.self, count: $0) })
    network.initialize(seed: configuration.seed)
    batchSum = GroupSum(group, method: configuration.algorithm, clock: clock)
    let rows = plan.partition.rowsOfLargestBatch(ofRank: group.rank, sampler: plan.sampler)
    losses = AlignedBuffer(count: rows)
    earlierState = AlignedBuffer(count: network.state.layout.count)
    kernels.reserve(
      plan.network.scratch(
        on: plan.training, rows: maximumRows, shards: plan.partition.shards,
        threads: kernels.threads))
    accumulator = GradientAccumulator(network.gradients, kernels: kernels)
    optimizer = configuration.optimizer.specification.optimizer(layout: network.layout)
    synchronizer = GradientSynchronizer(
      network.gradients, group: group, method: configuration.algorithm,
      bucketBytes: configuration.bucketBytes)
  }

  /// Computes the gradient of the batch's loss, summed over its samples. Collective.
  /// - Parameter stop: of this rank.
  func computeGradients(
    _ step: Int, _ batch: Batch, stop: StopRequest = StopRequest()
  ) throws -> BatchSums {
    clock.enter(.compute)
    _ = earlierState.elements.update(fromContentsOf: network.state.tensors)
    for number in accumulation.passes.indices {
      try computeGradients(step, batch, pass: number) {
        try ended?($0)
      } beforeLast: {
        fillTail(batch, stop)
      } filled: {
        try synchronizer.filled(from: $0)
        try ended?(.allreduceProgress)
      }
    }
    clock.enter(.communication)
    let finiteness = try synchronizer.finish { try ended?(.allreduce(bucket: $0)) }
    clock.enter(.compute)
    let tail = network.gradients.tail
    let loss = Double(tail[GradientTail.lossSum]) / Double(tail[GradientTail.samples])
    // All ranks have the same bits, and see the same in them.
    let isFinite =
      switch finiteness {
      case .finite: loss.isFinite
      case .notFinite: false
      case .unknown:
        loss.isFinite && kernels.isFinite(UnsafeBufferPointer(network.gradients.tensors))
      }
    let stop = StopRequest(
      timeIsUp: tail[GradientTail.timeIsUp] > 0,
      isInterrupted: tail[GradientTail.interrupts] > 0)
    return BatchSums(loss: loss, isFinite: isFinite, stop: stop)
  }

  /// Makes the step that the gradients ask for.
  func update(learningRate: Float) throws {
    var terms = configuration.optimizer.clipping.terms(
      for: network.gradients, samples: network.gradients.tail[GradientTail.samples],
      kernels: kernels)
    terms.l1 = configuration.optimizer.l1
    optimizer.step(
      network.parameters, gradients: network.gradients, terms, learningRate: learningRate,
      kernels: kernels)
    try ended?(.update)
  }

  /// Takes back what layers have come to remember since the step began.
  func restoreState() {
    _ = network.state.tensors.update(fromContentsOf: earlierState.elements)
  }

  /// Computes the gradient of this rank's part of a batch again, to find out where it stops being
  /// finite; it is left in place of all ranks' sum. Collective: layers may ask for sums over the
  /// batch.
  /// - Returns: nil if all of it is finite.
  func findFault(_ step: Int, _ batch: Batch) throws -> NumericFault? {
    restoreState()
    var search = FaultSearch(network, kernels: kernels)
    search.lookAtModel()
    for number in accumulation.passes.indices {
      let part = batch.part(accumulation.passes[number].shards)
      search.lookAtInputs(part)
      try computeGradients(step, batch, pass: number) { ended in
        if case .forward(let stage) = ended { search.lookAtOutput(ofStage: stage, part) }
        if case .loss = ended { search.lookAtLosses(self.losses.base + part.start, part) }
        try self.ended?(ended)
      }
    }
    search.lookAtGradients(planes: ownSums(batch).planeCount)
    return search.fault
  }

  /// Forward, loss and backward over some of this rank's rows.
  /// - Parameters:
  ///   - beforeLast: called before the backward pass that ends with this rank's gradient.
  ///   - filled: called in that pass with the offset from which on the gradient slab is filled.
  private func computeGradients(
    _ step: Int, _ batch: Batch, pass number: Int, ended: (StepPart) throws -> Void,
    beforeLast: () -> Void = {}, filled: (Int) throws -> Void = { _ in }
  ) throws {
    let rows = accumulation.passes[number]
    let isLast = number + 1 == accumulation.passes.count
    let part = batch.part(rows.shards)
    let stride = network.gradients.planeStride
    var shards = part.shards
    shards.planes = SumPlanes(offset: rows.plane * stride, stride: stride)
    let pass = Pass(
      kernels: kernels, shards: shards, mode: .training, seed: configuration.seed,
      step: step, firstSample: batch.firstPosition + part.start, globalRows: batch.globalSize,
      batchSum: batchSum,
      weightUse: accumulation.passes.count == 1 ? .once : number == 0 ? .first : .again)
    let outputs = try network.forward(part.inputs, pass: pass) {
      try ended(.forward(stage: $0))
    }
    configuration.loss.evaluate(
      outputs, part.targets(configuration.loss), losses: losses.base + part.start,
      gradient: network.outputGradient(rows: part.rows), kernels: kernels)
    if isLast { beforeLast() }
    accumulator.begin()
    try ended(.loss)
    for stage in network.stages.indices.reversed() {
      try network.backward(throughStage: stage, inputs: part.inputs, pass: pass)
      let offset = network.plan.gradientOffsets[stage]
      accumulator.filled(from: offset, in: rows)
      try ended(.backward(stage: stage))
      if isLast { try filled(offset) }
    }
  }

  /// This rank's shards of a batch, with the planes of the gradient slab that their sums are in.
  private func ownSums(_ batch: Batch) -> ShardRows {
    var shards = batch.shards
    shards.planes = SumPlanes(stride: network.gradients.planeStride)
    return shards
  }

  /// Writes what travels behind the gradients.
  private func fillTail(_ batch: Batch, _ stop: StopRequest) {
    let (tail, stride) = (network.gradients.tail, network.gradients.planeStride)
    let shards = ownSums(batch)
    kernels.sum(losses.base, over: shards, into: tail.baseAddress! + GradientTail.lossSum)
    // Counts are exact in whatever plane.
    func put(_ count: Int, _ slot: Int) {
      for plane in 0..<shards.planeCount {
        (tail.baseAddress! + slot)[plane * stride] = plane == 0 ? Float(count) : 0
      }
    }
    put(batch.rows, GradientTail.samples)
    put(stop.isInterrupted ? 1 : 0, GradientTail.interrupts)
    put(stop.timeIsUp ? 1 : 0, GradientTail.timeIsUp)
  }
}
