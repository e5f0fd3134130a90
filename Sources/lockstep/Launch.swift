import ArgumentParser
import Experiments
import Foundation
import Training

/// `lockstep launch`: becomes `mpirun` with the options that fit this machine.
struct Launch: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Starts a lockstep command on many ranks, through mpirun.",
    discussion: """
      With DRY_RUN=1 in the environment the mpirun line is printed and nothing is started.

      Example:  lockstep launch -n 8 --hostfile hostfiles/two-nodes train config.yaml
      """)

  @Option(name: .customShort("n"), help: "Ranks to start. Default: one for each core.")
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
      if let dryRun = environment["DRY_RUN"], !dryRun.isEmpty, dryRun != "0" {
        print(launch.line(on: machine, environment: environment))
      } else {
        try launch.execute(on: machine, environment: environment)
      }
    }
  }
}

/// The path of this program.
func ownPath() throws -> String {
  try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
}
