import ArgumentParser
import Experiments
import Foundation
import MPI
import Training

@main
struct Lockstep: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lockstep",
    abstract: "Trains models by synchronous data-parallel SGD on CPU clusters.",
    version: "0.1.0",
    subcommands: [Train.self, Launch.self, Scale.self, Bench.self, Simulate.self, Inspect.self])
}

extension Program {
  /// This program.
  static func current(isQuiet: Bool) -> Program {
    // run.sh leaves the commit beside the binary that it built.
    let path = try? ownPath()
    let commit =
      path.flatMap { try? String(contentsOfFile: $0 + ".commit", encoding: .utf8) } ?? "unknown"
    return Program(
      version: Lockstep.configuration.version,
      commit: commit.trimmingCharacters(in: .whitespacesAndNewlines),
      environment: ProcessInfo.processInfo.environment, isQuiet: isQuiet,
      // As this process has it, whatever has been put at its place since.
      path: "/proc/self/exe")
  }
}

/// Runs `body`; an error becomes a line on standard error and the exit code that it stands for.
func reportingErrors(_ body: () throws -> Void) throws {
  do {
    try body()
  } catch let error where error is ArgumentParser.ExitCode || error is ValidationError {
    throw error
  } catch {
    printError(error)
    throw ArgumentParser.ExitCode(exitStatus(of: error))
  }
}

/// Writes a line to standard output at once, be it a terminal or a pipe.
func say(_ line: String) {
  try? FileHandle.standardOutput.write(contentsOf: Data((line + "\n").utf8))
}

/// The path of this program.
func ownPath() throws -> String {
  try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
}

func printError(_ error: any Error) {
  let lines = "\(error)".split(separator: "\n").map { "error: \($0)\n" }
  try? FileHandle.standardError.write(contentsOf: Data(lines.joined().utf8))
}

/// The exit code for any error there is.
func exitStatus(of error: any Error) -> Int32 {
  switch error {
  case let error as JointFailure: error.exitCode
  case let failure as RankFailure: exitStatus(of: failure.cause)
  case is LaunchRefusal, is ForcedAlgorithmIgnored: ExitStatus.usage
  case is MPIError, is MCAParameterMissing, is UnsupportedThreadLevel, is LaunchError:
    ExitStatus.unavailable
  case let error as RunFailed: error.exitCode
  case let error as HostfileError: error.isMissing ? ExitStatus.missingInput : ExitStatus.usage
  case is UnreadableSummary: ExitStatus.inputOutput
  default: ExitStatus.of(error)
  }
}
