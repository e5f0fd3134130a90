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
    help: "Ranks to start. Default: one for each core.")
  var ranks: Int?

  @Option(help: ArgumentHelp("Hosts and their slots, as mpirun reads them.", valueName: "file"))
  var hostfile: String?

  @Argument(parsing: .captureForPassthrough, help: "A lockstep command with its options.")
  var command: [String]

  func validate() throws {
    guard ranks ?? 1 > 0 else { throw ValidationError("-n: at least one rank is needed") }
    // Everything from the command's name on is the command's, and so is a help flag without a name.
    if let first = command.first, ["-h", "--help"].contains(first) {
      throw CleanExit.helpRequest(Launch.self)
    }
    guard !command.isEmpty else { throw ValidationError("name a command, such as train") }
  }

  func run() throws {
    try reportingErrors {
      let environment = ProcessInfo.processInfo.environment
      let machine = Machine.current
      let slots = try hostfile.map { try Hostfile(path: $0).slots }
      let launch = Experiments.Launch(
        ranks: ranks ?? slots ?? machine.cores, hostfile: hostfile,
        command: [try ownPath()] + command)
      if let slots, let hostfile, launch.ranks > slots {
        throw ValidationError(
          "-n \(launch.ranks): the hosts of \(hostfile) have \(slots) slot\(slots == 1 ? "" : "s"): "
            + "start fewer ranks, or give the hosts more slots")
      }
      if let dryRun = environment["DRY_RUN"], !dryRun.isEmpty, dryRun != "0" {
        say(launch.line(on: machine, environment: environment))
        return
      }
      let job = try LaunchedJob(launch, on: machine, environment: environment)
      job.forwardSignals()
      let code = job.wait()
      if code != 0 { throw ArgumentParser.ExitCode(code) }
    }
  }
}
