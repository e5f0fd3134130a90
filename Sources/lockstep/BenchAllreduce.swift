import ArgumentParser
import Benchmarks
import Collective
import Experiments
import Foundation
import Kernels
import MPI
import Training

/// `lockstep bench allreduce`: ours beside `MPI_Allreduce`, in one run.
struct BenchAllreduce: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "allreduce",
    abstract: "Times the allreduce beside MPI_Allreduce of the same Open MPI.",
    discussion: """
      Every result is checked first. Candidates take turns, so that a machine that grows slower does so
      for all of them. Columns as nccl-tests has them: algbw is the buffer's size by the time, busbw
      that times 2(p-1)/p. Started without mpirun, it starts mpirun itself; with DRY_RUN=1 in the
      environment the line is printed and nothing is started.

      Example:  lockstep bench allreduce -n 2 --sizes 64K:16M --against default
      """)

  @Option(
    name: .customShort("n", allowingJoined: true),
    help: "Ranks to start. Default: one for each core or slot.")
  var ranks: Int?

  @Option(help: ArgumentHelp("Hosts and their slots, as mpirun reads them.", valueName: "file"))
  var hostfile: String?

  @Option(
    help: ArgumentHelp(
      "Sizes of the buffer in bytes, with K, M or G.", valueName: "min:max[:factor]"),
    transform: { text in
      guard let sizes = SizeRange(text) else {
        throw ValidationError(
          "'\(text)' is not a range of sizes up to 1G with a factor from 2, such as 4:64M:4")
      }
      return sizes
    })
  var sizes = SizeRange("4:64M:4")!

  @Option(
    help: "Types of the numbers, separated by commas: \(names(ElementType.self)).",
    transform: { try list($0, of: ElementType.self) })
  var types = [ElementType.float32]

  @Option(
    help: "Reductions, separated by commas: \(names(ReductionChoice.self)).",
    transform: { try list($0, of: ReductionChoice.self) })
  var ops = [ReductionChoice.sum]

  @Option(
    help: """
      Algorithms beside training's choice, which always takes part, separated by commas: \
      \(names(AllreduceMethod.self)).
      """,
    transform: { try list($0, of: AllreduceMethod.self) })
  var algorithms: [AllreduceMethod] = []

  @Option(help: "auto: ranks of a node meet as in training; mpi: by messages alone.")
  var transport = AllreduceOptions.TransportChoice.auto

  @Option(
    help: """
      Open MPI's own choice of algorithm (default), each of its algorithms too (all), or none. \
      (default: all; with --tune, none)
      """
  )
  var against: MPIRivals?

  @Option(
    help: """
      rotating: buffers take turns, together more than twice the last-level cache; cached: the same \
      one every time. (default: rotating; with --predict, cached)
      """)
  var buffers: AllreduceOptions.Buffers?

  @Option(help: ArgumentHelp("How long to measure each size.", valueName: "seconds"))
  var budget = 2.0

  @Option(
    help: ArgumentHelp(
      "Writes one JSON object a line; to standard output, in place of the table, if -.",
      valueName: "file"))
  var json: String?

  @Option(
    help: ArgumentHelp(
      """
      Times all algorithms and writes which one is the fastest for each size, as a table that \
      training reads: collective.tuning.
      """, valueName: "file"))
  var tune: String?

  @Flag(
    help: """
      Measures links and arithmetic first, and predicts the times of all algorithms in place, over \
      messages.
      """)
  var predict = false

  @Flag(
    help: """
      Times --algorithms, or else our choice, once more in ordinary memory without the comparison \
      of calls: what that costs.
      """)
  var unchecked = false

  private var options: AllreduceOptions {
    AllreduceOptions(
      sizes: sizes, types: types, reductions: ops,
      methods: tune != nil && algorithms.isEmpty ? AllreduceMethod.allCases : algorithms,
      transport: transport, rivals: against ?? (tune == nil ? MPIRivals.all : MPIRivals.none),
      buffers: buffers ?? (predict ? .cached : .rotating),
      budget: budget, tunes: tune != nil, predicts: predict,
      skipsChecks: unchecked)
  }

  func validate() throws {
    let faults = options.faults
    guard faults.isEmpty else { throw ValidationError(faults.joined(separator: "\n")) }
  }

  func run() throws {
    try reportingErrors {
      let environment = ProcessInfo.processInfo.environment
      guard Session.isLaunched(environment: environment) else {
        return try launch(environment)
      }
      let code = try Session.run(
        parameters: options.sessionParameters, exitCode: exitStatus(of:)
      ) { try run(on: $0, environment: environment) }
      if code != ExitStatus.success { throw ArgumentParser.ExitCode(code) }
    }
  }

  /// Starts this command on many ranks.
  private func launch(_ environment: [String: String]) throws {
    // Refused here, it is refused once.
    _ = try InstructionSet.selected(by: environment)
    let ranks = try ranks ?? Experiments.Launch.slots(hostfile: hostfile, on: .current)
    var words = commandWords(ranks: ranks)
    if let json { words += ["--json", json] }
    if let tune { words += ["--tune", tune] }
    try launchSelf(words, ranks: ranks, hostfile: hostfile, environment: environment)
  }

  /// The words behind `lockstep` that ask for this measurement, every value included.
  private func commandWords(ranks: Int) -> [String] {
    var words = ["bench", "allreduce", "-n", "\(ranks)"]
    if let hostfile { words += ["--hostfile", hostfile] }
    return words + options.words
  }

  /// Returns the exit code of what all ranks know; any other error is one rank's, and thrown.
  private func run(on world: Communicator, environment: [String: String]) throws -> Int32 {
    if let ranks, ranks != world.size {
      return fail(
        ExitStatus.usage, "-n \(ranks): mpirun has started \(world.size) ranks, which is its part",
        on: world)
    }
    if let tune, world.rank == 0 { try checkWritable(tune) }
    let benchmark = try AllreduceBenchmark(
      options, world: world,
      program: .current(words: commandWords(ranks: world.size), environment: environment),
      output: world.rank == 0
        ? .standard(json: json) : BenchmarkOutput(line: { _ in }, record: { _ in }))
    let outcome = try benchmark.run()
    guard outcome.wrong == 0 else {
      return fail(
        ExitStatus.internalFault,
        "\(outcome.wrong) elements are wrong: the columns #wrong say where", on: world)
    }
    if let tune, let table = outcome.table, world.rank == 0 { try write(table, to: tune) }
    return ExitStatus.success
  }

  /// Refuses a file that cannot be written before anything is measured.
  private func checkWritable(_ path: String) throws {
    let files = FileManager.default
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    guard files.isWritableFile(atPath: files.fileExists(atPath: path) ? path : folder) else {
      throw TrainingError(ExitStatus.cannotWrite, "\(path): the file cannot be written")
    }
  }

  private func write(_ table: TuningTable, to path: String) throws {
    do {
      try table.json().write(to: URL(fileURLWithPath: path), options: .atomic)
    } catch {
      throw TrainingError(ExitStatus.cannotWrite, "\(path): cannot be written: \(error)")
    }
    if json != "-" { say("# table      \(path)") }
  }

  private func fail(_ code: Int32, _ message: String, on world: Communicator) -> Int32 {
    if world.rank == 0 { printError(TrainingError(code, message)) }
    return code
  }
}

extension AllreduceOptions.TransportChoice: ExpressibleByArgument {}
extension AllreduceOptions.Buffers: ExpressibleByArgument {}
extension MPIRivals: ExpressibleByArgument {}
