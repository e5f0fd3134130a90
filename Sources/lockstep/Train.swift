import ArgumentParser
import Foundation
import MPI
import Training

/// `lockstep train`: the same under `mpirun`, under `srun`, and alone.
struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Trains a model.",
    discussion: """
      Under mpirun or srun every rank trains on its part of each batch; started alone, one rank does
      everything and no MPI is started.

      Example:  mpirun -n 4 lockstep train Examples/fashion-mnist-mlp.yaml --set training.epochs=10
      """)

  @Argument(help: "The configuration, a YAML file.")
  var config: String

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp(
      "Sets a value of the configuration; repeat it for more.", valueName: "key.path=value"))
  var settings: [String] = []

  @Option(
    help: ArgumentHelp("The run directory, in place of the configured one.", valueName: "dir"))
  var output: String?

  @Option(
    help: ArgumentHelp(
      "Goes on from a checkpoint: auto takes the newest good one of the run directory, if there is "
        + "one; or name a file or a run directory.",
      valueName: "auto|none|path"))
  var resume = ResumeRequest.none

  @Flag(help: "Prints the whole configuration, with the origin of every value, and ends.")
  var printConfig = false

  @Flag(name: .shortAndLong, help: "Nothing on standard output.")
  var quiet = false

  func run() throws {
    try reportingErrors { try asRank(watchdog: watchdog(), run(_:)) }
  }

  /// Watches from before MPI's start on. A configuration with faults is reported later, by all ranks
  /// together.
  private func watchdog() -> Watchdog {
    let environment = ProcessInfo.processInfo.environment
    let watchdog = Watchdog(isLaunched: Session.isLaunched(environment: environment))
    watchdog.start()
    let configuration = try? TrainingConfiguration(
      file: config, settings: settings, environment: environment)
    if let configuration { watchdog.limit = configuration.stallSeconds }
    return watchdog
  }

  private func run(_ world: World) throws {
    let program = Program.current(isQuiet: quiet)
    var settings = settings
    if let output {
      settings.append("output='\(output.replacingOccurrences(of: "'", with: "''"))'")
    }
    let configuration = try readConfiguration(
      file: config, settings: settings, world: world, program: program)
    if printConfig {
      if world.isRoot { print(configuration.annotatedText, terminator: "") }
      return
    }
    _ = try train(
      configuration, world: world, program: program, resume: resume,
      interruption: SignalInterruption())
  }
}

extension ResumeRequest: ExpressibleByArgument {
  public init?(argument: String) {
    switch argument {
    case "": return nil
    case "none": self = .none
    case "auto": self = .automatic
    default: self = .path(argument)
    }
  }

  public var defaultValueDescription: String { "none" }
}
