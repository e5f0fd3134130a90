import ArgumentParser
import Experiments
import Foundation
import Training

/// `lockstep launch`: `mpirun` with the options that fit this machine.
struct Launch: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Starts a lockstep command on many ranks, through mpirun.",
    discussion: """
      With DRY_RUN=1 in the environment the mpirun line is printed and nothing is started.

      Example:  lockstep launch -n 8 --hostfile hostfiles/two-nodes train config.yaml
      """)

  @Option(
    name: .customShort("n", allowingJoined: true),
    help: "Ranks to start. Default: one for each slot, or for each core (training.threads cores).")
  var ranks: Int?

  @Option(help: ArgumentHelp("Hosts and their slots, as mpirun reads them.", valueName: "file"))
  var hostfile: String?

  @Option(
    help: """
      How many times a job that has failed is started again, from its newest checkpoint, on the \
      hosts that still answer.
      """)
  var restarts = 0

  @Argument(parsing: .captureForPassthrough, help: "A lockstep command with its options.")
  var command: [String]

  func validate() throws {
    // Everything from the command's name on is the command's, and so is a help flag without a name.
    guard let first = command.first else { throw ValidationError("name a command, such as train") }
    if ["-h", "--help"].contains(first) { throw CleanExit.helpRequest(Launch.self) }
    guard restarts >= 0 else { throw ValidationError("--restarts: expected 0 or more") }
  }

  func run() throws {
    // Refused here, a wrong option is refused once; by the ranks it would be refused by all of
    // them.
    let train = parsedCommand()
    try reportingErrors {
      let environment = ProcessInfo.processInfo.environment
      // A configuration with faults is reported by the ranks.
      let configuration = try? TrainingConfiguration(
        file: train.config, settings: train.settings, environment: environment)
      try launchSelf(
        command, ranks: try ranks ?? defaultRanks(for: configuration, on: .current),
        threads: configuration?.threads ?? 1, hostfile: hostfile, environment: environment
      ) {
        var attempts = Attempts(
          $0, limit: restarts, configuration: configuration, output: train.output,
          environment: environment)
        return try attempts.run(on: $1)
      }
    }
  }

  private func parsedCommand() -> Train {
    do {
      let parsed = try Lockstep.parseAsRoot(command)
      guard let train = parsed as? Train else {
        throw ValidationError("launch starts train; \(command[0]) is started alone")
      }
      return train
    } catch {
      Lockstep.exit(withError: error)
    }
  }

  /// The hosts' slots, or as many as this machine's cores have room for, but no more ranks than the
  /// configuration has work for; in a reproducible run a power of two, which has as many shards for
  /// every rank.
  private func defaultRanks(
    for configuration: TrainingConfiguration?, on machine: Machine
  ) throws -> Int {
    let slots = try Experiments.Launch.slots(
      hostfile: hostfile, threads: configuration?.threads ?? 1, on: machine)
    return configuration?.ranks(among: slots) ?? slots
  }
}

/// `DRY_RUN=1`: print what would be started.
func isDryRun(_ environment: [String: String]) -> Bool {
  guard let value = environment["DRY_RUN"] else { return false }
  return !value.isEmpty && value != "0"
}
