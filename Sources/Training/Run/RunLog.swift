import Foundation

/// What a run says while it goes on: events into `metrics.jsonl`, lines for the reader on standard
/// output. Only the root rank has one.
///
/// The watchdog's thread records too.
final class RunLog: @unchecked Sendable {
  private let metrics: FileHandle
  private let path: String
  private let encoder = JSONEncoder.lockstep()
  private let isQuiet: Bool
  private let lock = NSLock()

  /// - Parameters:
  ///   - isQuiet: nothing on standard output.
  ///   - history: the lines to go on from.
  init(in directory: OutputDirectory, isQuiet: Bool, after history: MetricsHistory? = nil) throws {
    self.isQuiet = isQuiet
    path = directory.path + "/metrics.jsonl"
    do {
      try directory.write(history?.text ?? Data(), to: "metrics.jsonl")
    } catch let error as TrainingError {
      throw TrainingError(ExitStatus.cannotWrite, error.description)
    }
    guard let handle = FileHandle(forWritingAtPath: path), (try? handle.seekToEnd()) != nil else {
      throw TrainingError(ExitStatus.cannotWrite, "\(path): cannot be written")
    }
    metrics = handle
  }

  deinit { try? metrics.close() }

  /// Adds a line to `metrics.jsonl`.
  func record(_ event: some Encodable) throws {
    do {
      var line = try encoder.encode(event)
      line.append(0x0A)
      try lock.withLock { try metrics.write(contentsOf: line) }
    } catch {
      throw TrainingError(
        ExitStatus.inputOutput, "\(path): cannot be written: \(OutputDirectory.reason(error))")
    }
  }

  /// Writes a line for the reader, if there still is one: a closed pipe does not end a run.
  func say(_ line: String) {
    guard !isQuiet else { return }
    try? FileHandle.standardOutput.write(contentsOf: Data((line + "\n").utf8))
  }

  /// Warns the reader, and records it.
  func warn(_ message: String) throws {
    try? FileHandle.standardError.write(contentsOf: Data("warning: \(message)\n".utf8))
    try record(WarningEvent(message: message))
  }
}
