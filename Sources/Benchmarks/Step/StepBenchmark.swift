import Foundation
import Training

/// Times a training step on one rank, layer by layer.
public struct StepBenchmark {
  private let probe: StepProbe
  private let config: String
  private let steps: Int
  private let program: BenchmarkProgram
  private let output: BenchmarkOutput

  /// Steps before the measured ones: they touch all memory for the first time.
  private static let warmUp = 3

  /// - Parameters:
  ///   - config: what the configuration is called.
  ///   - steps: to measure, at least one.
  /// - Throws: what `StepProbe` throws.
  public init(
    _ configuration: TrainingConfiguration, config: String, steps: Int, program: BenchmarkProgram,
    output: BenchmarkOutput
  ) throws {
    precondition(steps > 0)
    probe = try StepProbe(configuration, environment: program.environment)
    self.config = config
    self.steps = steps
    self.program = program
    self.output = output
  }

  /// Measures and reports.
  /// - Throws: what the steps throw; what `output` throws.
  public func run() throws {
    let header = StepHeaderRecord(
      version: program.version, commit: program.commit, cpu: BenchmarkMachine.cpuName,
      kernels: probe.instructions.rawValue, config: config, batch: probe.batchSize, steps: steps,
      parameters: probe.parameters, command: program.command)
    header.lines.forEach(output.line)
    try output.record(header)

    let clock = StepClock()
    try probe.run(steps: StepBenchmark.warmUp + steps, ended: clock.end)
    let times = StepTimes(clock, from: StepBenchmark.warmUp)
    let parts = parts(times)
    try parts.forEach(output.record)
    let total = total(times)
    try output.record(total)
    output.line("")
    output.line(
      StepTable.text(parts, inputShape: probe.inputShape.description, total: total))
  }

  private func parts(_ times: StepTimes) -> [StepPartRecord] {
    let stages = probe.stages
    let layers = stages.enumerated().map { number, stage in
      let forward = times.median(.forward(stage: number))
      let backward = times.median(.backward(stage: number))
      let sum = (forward ?? 0) + (backward ?? 0)
      let flops = stage.forwardFlops + stage.backwardFlops
      return StepPartRecord(
        layer: stage.number, kind: stage.kind, outputShape: stage.outputShape.description,
        forwardMicroseconds: forward, backwardMicroseconds: backward, microseconds: sum,
        gflops: flops > 0 && sum > 0 ? flops / sum * 1e-3 : nil, share: 0)
    }
    let others: [(String, StepPart)] = [
      ("data", .data), ("loss", .loss), ("allreduce", .allreduce), ("optimizer", .update),
    ]
    var parts =
      layers
      + others.map { kind, part in
        StepPartRecord(kind: kind, microseconds: times.median(part) ?? 0, share: 0)
      }
    let sum = parts.reduce(0) { $0 + $1.microseconds }
    for index in parts.indices { parts[index].share = parts[index].microseconds / sum }
    return parts
  }

  private func total(_ times: StepTimes) -> StepTotalRecord {
    let stages = probe.stages
    func sum(_ part: (Int) -> StepPart) -> Double {
      stages.indices.reduce(0) { $0 + (times.median(part($1)) ?? 0) }
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
  private let all: [[StepPart: Int64]]

  init(_ clock: StepClock, from first: Int) { all = Array(clock.steps.dropLast()[first...]) }

  /// Microseconds a step; nil for a part that no step has.
  func median(_ part: StepPart) -> Double? {
    let times = all.compactMap { $0[part] }
    return times.isEmpty ? nil : Timing(nanoseconds: times).median
  }

  /// Of whole steps.
  var steps: Timing { Timing(nanoseconds: all.map { $0.values.reduce(0, +) }) }
}
