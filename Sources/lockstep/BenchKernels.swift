import ArgumentParser
import Benchmarks
import Foundation
import Kernels
import Training

/// `lockstep bench kernels`: how far each kernel is from what a core can do.
struct BenchKernels: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kernels",
    abstract: "Times every kernel of each kernel set beside the peak of one core.",
    discussion: """
      Every result is checked first, against a plain loop. The peaks are measured by the same program: \
      multiply-adds in registers, and memcpy of operands as large.

      Example:  lockstep bench kernels --kernels avx2,avx512 --only product/
      """)

  @Option(
    help: """
      Kernel sets, separated by commas: \(names(InstructionSet.self)). Default: LOCKSTEP_KERNELS or, \
      without it, all that this CPU has.
      """,
    transform: { try list($0, of: InstructionSet.self) })
  var kernels: [InstructionSet]?

  @Option(
    help: ArgumentHelp(
      "Only kernels whose group/name and shape contain this, such as convolution or 1024.",
      valueName: "text"))
  var only: String?

  @Option(
    help: ArgumentHelp("How long to measure each kernel and shape.", valueName: "seconds"))
  var budget = 0.1

  @Option(
    help: ArgumentHelp(
      "Writes one JSON object a line; to standard output, in place of the table, if -.",
      valueName: "file"))
  var json: String?

  func validate() throws {
    let faults = KernelOptions(
      instructions: kernels ?? [], pattern: only, budget: budget
    ).faults
    guard faults.isEmpty else { throw ValidationError(faults.joined(separator: "\n")) }
  }

  func run() throws {
    try reportingErrors {
      let environment = ProcessInfo.processInfo.environment
      let selected = try InstructionSet.selected(by: environment)
      let isChosen = environment["LOCKSTEP_KERNELS"]?.isEmpty == false
      let options = KernelOptions(
        instructions: kernels ?? (isChosen ? [selected] : InstructionSet.supported), pattern: only,
        budget: budget)
      let wrong = try KernelBenchmark(
        options, program: .current(words: words(options), environment: environment),
        output: .standard(json: json)
      ).run()
      guard wrong == 0 else {
        throw TrainingError(
          ExitStatus.internalFault,
          "\(wrong) elements are wrong: the column #wrong says which kernel's")
      }
    }
  }

  /// Those that ask for the same measurement, every value included.
  private func words(_ options: KernelOptions) -> [String] {
    ["bench", "kernels", "--kernels", options.instructions.map(\.rawValue).joined(separator: ",")]
      + (only.map { ["--only", "'\($0)'"] } ?? []) + ["--budget", "\(budget)"]
  }
}
