import ArgumentParser
import Collective
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

  @Flag(help: "Prints the whole configuration, with the origin of every value, and ends.")
  var printConfig = false

  @Flag(name: .shortAndLong, help: "Nothing on standard output.")
  var quiet = false

  func run() throws {
    try reportingErrors {
      guard Session.isLaunched(environment: ProcessInfo.processInfo.environment) else {
        return try run(
          World(
            LoopbackTransport.alone(), host: ProcessInfo.processInfo.hostName, carrier: "none"))
      }
      let code = try Session.run(exitCode: exitStatus(of:)) { try run(asRankOf: $0) }
      if code != ExitStatus.success { throw ArgumentParser.ExitCode(code) }
    }
  }

  /// Returns the exit code of what all ranks know; any other error is one rank's, and thrown.
  private func run(asRankOf communicator: Communicator) throws -> Int32 {
    let world = try World(
      MPITransport(communicator), host: Session.processorName, carrier: Session.libraryVersion)
    do {
      try run(world)
      return ExitStatus.success
    } catch let failure as JointFailure {
      if world.isRoot { printError(failure) }
      return failure.exitCode
    }
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
    _ = try train(configuration, world: world, program: program)
  }
}
