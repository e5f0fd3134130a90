import Foundation
import Training

/// Times a training step layer by layer. On several ranks, times are means over ranks.
public struct StepBenchmark {
  private let probe: StepProbe
  private let world: World
  private let config: String
  private let steps: Int
  private let program: BenchmarkProgram

  /// Steps before the measured ones: they touch all memory for the first time.
  private static let warmUp = 3

  /// Collective.
  /// - Parameters:
  ///   - config: what the configuration is called.
  ///   - steps: to measure, at least one.
  /// - Throws: what `StepProbe` throws.
  public init(
    _ configuration: TrainingConfiguration, config: String, steps: Int, world: World,
    program: BenchmarkProgram
  ) throws {
    precondition(steps > 0)
    probe = try StepProbe(configuration, world: world, environment: program.environment)
    self.world = world
    self.config = config
    self.steps = steps
    self.program = program
  }

  /// Measures and reports. Collective.
  /// - Throws: what the steps throw; what `output` throws.
  public func run(output: BenchmarkOutput) throws {
    let header = StepHeaderRecord(
      version: program.version, commit: program.commit, cpu: BenchmarkMachine.cpuName,
      ranks: world.size, nodes: world.nodes.count, threads: probe.threads,
      kernels: probe.instructions.rawValue,
      config: config, batch: probe.batchSize, steps: steps,
      parameters: probe.parameters, command: program.command)
    header.lines.forEach(output.line)
    try output.record(header)

    let clock = StepClock()
    try probe.run(steps: StepBenchmark.warmUp + steps, ended: clock.end)
    let times = try StepTimes(clock, from: StepBenchmark.warmUp, probe.parts, on: world)
    let parts = parts(times)
    try parts.forEach(output.record)
    let buckets = buckets(times)
    try buckets.forEach(output.record)
    let total = total(times)
    try output.record(total)
    output.line("")
    output.line(
      StepTable.text(parts, buckets, inputShape: probe.inputShape.description, total: total))
  }

  private func parts(_ times: StepTimes) -> [StepPartRecord] {
    let stages = probe.stages
    let layers = stages.enumerated().map { number, stage in
      let forward = times.microseconds[.forward(stage: number)]
      let backward = times.microseconds[.backward(stage: number)]
      let sum = (forward ?? 0) + (backward ?? 0)
      let flops = stage.forwardFlops + stage.backwardFlops
      return StepPartRecord(
        layer: stage.number, kind: stage.kind, outputShape: stage.outputShape.description,
        forwardMicroseconds: forward, backwardMicroseconds: backward, microseconds: sum,
        gflops: flops > 0 && sum > 0 ? flops / sum * 1e-3 : nil, share: 0)
    }
    let allreduce = [.allreduceProgress] + probe.bucketBytes.indices.map(StepPart.allreduce)
    let others: [(String, [StepPart])] = [
      ("data", [.data]), ("loss", [.loss]), ("allreduce", allreduce), ("optimizer", [.update]),
    ]
    var parts =
      layers
      + others.map { kind, parts in
        StepPartRecord(
          kind: kind, microseconds: parts.reduce(0) { $0 + (times.microseconds[$1] ?? 0) },
          share: 0)
      }
    let sum = parts.reduce(0) { $0 + $1.microseconds }
    for index in parts.indices { parts[index].share = parts[index].microseconds / sum }
    return parts
  }

  /// What the allreduce consists of; nothing where there is nobody to add up with.
  private func buckets(_ times: StepTimes) -> [StepBucketRecord] {
    guard world.size > 1 else { return [] }
    return probe.bucketBytes.enumerated().map { number, bytes in
      StepBucketRecord(
        bucket: number, bytes: bytes,
        microseconds: times.microseconds[.allreduce(bucket: number)] ?? 0)
    }
  }

  private func total(_ times: StepTimes) -> StepTotalRecord {
    let stages = probe.stages
    func sum(_ part: (Int) -> StepPart) -> Double {
      stages.indices.reduce(0) { $0 + (times.microseconds[part($1)] ?? 0) }
    }
    let flops = stages.reduce(0) { $0 + $1.forwardFlops + $1.backwardFlops }
    let step = times.steps
    return StepTotalRecord(
      forwardMicroseconds: sum { .forward(stage: $0) },
      backwardMicroseconds: sum { .backward(stage: $0) }, medianMicroseconds: step.median,
      minimumMicroseconds: step.minimum, p95Microseconds: step.percentile95,
      samplesPerSecond: Double(probe.batchSize) / (step.median * 1e-6),
      gflops: flops / step.median * 1e-3)
  }
}

/// Takes the time at the end of each part of each step.
private final class StepClock {
  /// Nanoseconds of each part, step by step. An update ends a step.
  private(set) var steps: [[StepPart: Int64]] = [[:]]
  private var last = monotonicNanoseconds()

  func end(_ part: StepPart) {
    let now = monotonicNanoseconds()
    steps[steps.count - 1][part, default: 0] += now - last
    if part == .update { steps.append([:]) }
    // What the bookkeeping took is nobody's.
    last = monotonicNanoseconds()
  }
}

/// The durations of the steps that count.
private struct StepTimes {
  /// Of each part, the median over steps, as a mean over ranks; none for a part that no step has.
  let microseconds: [StepPart: Double]
  /// Of whole steps, on this rank: all ranks end a step together.
  let steps: Timing

  /// Collective: all ranks have the same parts.
  init(_ clock: StepClock, from first: Int, _ parts: [StepPart], on world: World) throws {
    let measured = clock.steps.dropLast()[first...]
    steps = Timing(nanoseconds: measured.map { $0.values.reduce(0, +) })
    let own = parts.map { part in
      let times = measured.compactMap { $0[part] }
      return times.isEmpty ? -1 : Timing(nanoseconds: times).median
    }
    let bytes = own.withUnsafeBytes(Array.init)
    let ranks = try world.transport.allgather(bytes).map { bytes in
      bytes.withUnsafeBytes { Array($0.bindMemory(to: Double.self)) }
    }
    var microseconds: [StepPart: Double] = [:]
    for (index, part) in parts.enumerated() where own[index] >= 0 {
      microseconds[part] = ranks.reduce(0) { $0 + $1[index] } / Double(ranks.count)
    }
    self.microseconds = microseconds
  }
}
