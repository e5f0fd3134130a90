import ArgumentParser
import Collective
import Experiments
import Foundation
import MPI
import Training

/// Runs `body` as one of the ranks that `mpirun` or `srun` has started, or as a rank on its own, for
/// which no MPI is started.
/// - Parameter watchdog: already started; none watches if not given.
/// - Throws: `ExitCode` for what all ranks know, which is printed once. Any other error of a rank
///   ends the job.
func asRank(watchdog: Watchdog? = nil, _ body: (World) throws -> Void) throws {
  guard Session.isLaunched(environment: ProcessInfo.processInfo.environment) else {
    return try body(
      World(
        LoopbackTransport.alone(), host: ProcessInfo.processInfo.hostName, carrier: "none",
        watchdog: watchdog))
  }
  let code = try Session.run(exitCode: exitStatus(of:)) { communicator in
    let world = try World(
      MPITransport(communicator), host: Session.processorName, carrier: Session.libraryVersion,
      watchdog: watchdog)
    do {
      try body(world)
      return ExitStatus.success
    } catch let failure as JointFailure {
      if world.isRoot { printError(failure) }
      return failure.exitCode
    }
  }
  if code != ExitStatus.success { throw ArgumentParser.ExitCode(code) }
}

/// Starts this program with other words on many ranks, and waits for them; prints the line only if
/// the environment asks for that.
/// - Parameter running: runs the job and returns its exit code; if not given, it is run once.
/// - Throws: `ExitCode` with that of the job.
func launchSelf(
  _ words: [String], ranks: Int, threads: Int = 1, hostfile: String? = nil,
  environment: [String: String],
  running: ((Experiments.Launch, Machine) throws -> Int32)? = nil
) throws {
  let launch = Experiments.Launch(
    ranks: ranks, threads: threads, hostfile: hostfile, command: [try ownPath()] + words)
  try launch.validate()
  let machine = Machine.current
  if isDryRun(environment) {
    say(launch.line(on: machine, environment: environment))
    return
  }
  let code: Int32
  if let running {
    code = try running(launch, machine)
  } else {
    let job = try LaunchedJob(launch, on: machine, environment: environment)
    job.forwardSignals()
    code = job.wait()
  }
  if code != 0 { throw ArgumentParser.ExitCode(code) }
}
