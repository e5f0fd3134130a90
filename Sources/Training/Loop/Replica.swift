import Collective
import Datasets
import Kernels
import NN

/// What travels behind the gradients, so that means are exact however the samples are spread.
enum GradientTail {
  static let lossSum = 0
  static let samples = 1
  static let count = 16  // a cache line
}

/// One rank's copy of the model - parameters, what layers remember, the optimizer's state - and the
/// step that changes it as all ranks change theirs: the gradient of the rank's part of the batch, the
/// sum of all ranks' gradients, the update.
final class Replica {
  let network: Network
  let optimizer: any Optimizer
  let kernels: KernelSet
  private let configuration: TrainingConfiguration
  private let synchronizer: GradientSynchronizer
  private let accumulation: AccumulationPlan
  private let accumulator: GradientAccumulator
  private let batchSum: GroupSum
  private let losses: AlignedBuffer
  private let clock: PhaseClock
  /// Is told when a part of a step has ended.
  var ended: ((StepPart) -> Void)?

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
    kernels.reserve(
      plan.network.scratch(
        rows: maximumRows, shards: plan.partition.shards, threads: kernels.threads))
    if let sparse = plan.training.sparseFeatures {
      kernels.reserve(
        forTransposeOf: sparse.mostElements(ofRows: rows), columns: plan.training.featureCount)
    }
    accumulator = GradientAccumulator(network.gradients, kernels: kernels)
    optimizer = configuration.optimizer.specification.optimizer(layout: network.layout)
    synchronizer = GradientSynchronizer(
      network.gradients, group: group, method: configuration.algorithm,
      bucketBytes: configuration.bucketBytes)
  }

  /// One step: gradients, allreduce, update. Collective.
  /// - Returns: the mean loss over the batch, before the update.
  func step(_ step: Int, _ batch: Batch, learningRate: Float) throws -> Double {
    clock.enter(.compute)
    for number in accumulation.passes.indices {
      try computeGradients(step, batch, pass: number)
    }
    clock.enter(.communication)
    try synchronizer.finish(ended: ended.map { ended in { ended(.allreduce(bucket: $0)) } })
    clock.enter(.compute)
    let tail = network.gradients.tail
    let samples = tail[GradientTail.samples]
    var terms = configuration.optimizer.clipping.terms(
      for: network.gradients, samples: samples, kernels: kernels)
    terms.l1 = configuration.optimizer.l1
    optimizer.step(
      network.parameters, gradients: network.gradients, terms, learningRate: learningRate,
      kernels: kernels)
    ended?(.update)
    return Double(tail[GradientTail.lossSum]) / Double(samples)
  }

  /// Forward, loss and backward over some of this rank's rows. In the last pass, gradients go out as
  /// soon as they are there.
  private func computeGradients(_ step: Int, _ batch: Batch, pass number: Int) throws {
    let rows = accumulation.passes[number]
    let isLast = number + 1 == accumulation.passes.count
    let part = batch.part(rows.shards)
    let stride = network.gradients.planeStride
    var shards = part.shards
    shards.planes = SumPlanes(offset: rows.plane * stride, stride: stride)
    let pass = Pass(
      kernels: kernels, shards: shards, mode: .training, seed: configuration.seed,
      step: step, firstSample: batch.firstPosition + part.start, globalRows: batch.globalSize,
      batchSum: batchSum)
    let outputs = try network.forward(
      part.inputs, pass: pass,
      ended: ended.map { ended in { ended(.forward(stage: $0)) } })
    configuration.loss.evaluate(
      outputs, part.targets(configuration.loss), losses: losses.base + part.start,
      gradient: network.outputGradient(rows: part.rows), kernels: kernels)
    if isLast { fillTail(batch) }
    accumulator.begin()
    ended?(.loss)
    for stage in network.stages.indices.reversed() {
      try network.backward(throughStage: stage, inputs: part.inputs, pass: pass)
      let offset = network.plan.gradientOffsets[stage]
      accumulator.filled(from: offset, in: rows)
      ended?(.backward(stage: stage))
      if isLast {
        try synchronizer.filled(from: offset)
        ended?(.allreduceProgress)
      }
    }
  }

  /// Writes what travels behind the gradients.
  private func fillTail(_ batch: Batch) {
    let (tail, stride) = (network.gradients.tail, network.gradients.planeStride)
    var shards = batch.shards
    shards.planes = SumPlanes(stride: stride)
    kernels.sum(losses.base, over: shards, into: tail.baseAddress! + GradientTail.lossSum)
    // A count is exact in whatever plane.
    let samples = tail.baseAddress! + GradientTail.samples
    for plane in 0..<shards.planeCount {
      samples[plane * stride] = plane == 0 ? Float(batch.rows) : 0
    }
  }
}
