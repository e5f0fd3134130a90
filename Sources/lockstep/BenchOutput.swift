import Benchmarks
import Foundation
import Training

extension BenchmarkOutput {
  /// Lines to standard output, and objects to a file.
  /// - Parameter json: the file; if `-`, objects go to standard output in place of lines.
  /// - Throws: `TrainingError` if the file cannot be written.
  static func standard(json: String?) throws -> BenchmarkOutput {
    guard let json else { return BenchmarkOutput(line: say, record: { _ in }) }
    let encoder = JSONEncoder.lockstep()
    let isStandardOutput = json == "-"
    var file = FileHandle.standardOutput
    if !isStandardOutput {
      guard FileManager.default.createFile(atPath: json, contents: nil),
        let opened = FileHandle(forWritingAtPath: json)
      else { throw TrainingError(ExitStatus.cannotWrite, "\(json): the file cannot be written") }
      file = opened
    }
    return BenchmarkOutput(
      line: { if !isStandardOutput { say($0) } },
      record: { [file] object in
        do {
          try file.write(contentsOf: try encoder.encode(object) + Data("\n".utf8))
        } catch {
          throw TrainingError(ExitStatus.inputOutput, "\(json): cannot be written: \(error)")
        }
      })
  }
}

extension BenchmarkProgram {
  /// This program.
  /// - Parameter words: behind `lockstep`, those that ask for the same measurement.
  static func current(words: [String], environment: [String: String]) -> BenchmarkProgram {
    let program = Program.current(isQuiet: false)
    let kernels = environment["LOCKSTEP_KERNELS"].map { "LOCKSTEP_KERNELS=\($0) " } ?? ""
    return BenchmarkProgram(
      version: program.version, commit: program.commit, environment: environment,
      command: kernels + "lockstep " + words.joined(separator: " "))
  }
}
