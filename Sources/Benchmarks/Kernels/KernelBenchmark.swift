import Experiments
import Foundation
import Kernels

/// Times every kernel on one core, and says how far it is from what the core can do.
public struct KernelBenchmark {
  private let options: KernelOptions
  private let output: BenchmarkOutput
  private let program: BenchmarkProgram
  private let caches: [Int]

  /// - Precondition: `options.faults` is empty.
  public init(_ options: KernelOptions, program: BenchmarkProgram, output: BenchmarkOutput) {
    precondition(options.faults.isEmpty)
    self.options = options
    self.program = program
    self.output = output
    caches = BenchmarkMachine.ownCaches
  }

  /// Measures everything, one kernel set after the other.
  /// - Returns: wrong elements among those that were checked.
  /// - Throws: what `output` throws.
  public func run() throws -> Int {
    let header = KernelHeaderRecord(
      version: program.version, commit: program.commit, cpu: BenchmarkMachine.cpuName,
      cacheBytes: caches, kernels: options.instructions.map(\.rawValue), command: program.command)
    header.lines.forEach(output.line)
    try output.record(header)
    let timer = KernelTimer(budget: options.budget)
    let yardsticks = Yardsticks(KernelTimer(budget: options.budget / 4), caches: caches)
    var wrong = 0
    for set in options.instructions {
      let kernels = KernelSet(set)
      let peak = yardsticks.arithmetic(kernels)
      try output.record(KernelPeakRecord(kernels: set.rawValue, gflops: peak * 1e-9))
      output.line(
        String(
          format: "\n# \(set): %.1f GFLOP/s by multiply-adds in registers", peak * 1e-9))
      var records: [KernelRecord] = []
      for one in options.cases(caches) {
        let prepared = one.prepare(kernels)
        let bad = prepared.wrongCount()
        wrong += bad
        let record = KernelRecord(
          one, set, timer.measure(prepared.call), wrong: bad,
          // Beside the kernel: the clock of a shared machine wanders.
          peak: one.flops > 0 ? yardsticks.arithmetic(kernels) : peak,
          copy: yardsticks.copy(footprint: one.footprint),
          level: yardsticks.level(footprint: one.footprint))
        try output.record(record)
        records.append(record)
      }
      output.line(KernelRecord.table(records))
    }
    return wrong
  }
}
