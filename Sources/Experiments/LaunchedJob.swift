import Foundation

/// A job under `mpirun`, from its start to its exit code.
public final class LaunchedJob {
  private let process = Process()
  private let errors = Pipe()
  private let reader: ErrorReader
  private var signals: [any DispatchSourceSignal] = []

  /// Starts the job. Its standard input is empty.
  /// - Parameters:
  ///   - output: where its output goes; nil for this process's own.
  ///   - errors: where its errors go, without what `mpirun` adds to an exit code that says enough.
  /// - Throws: `LaunchError` if there is no `mpirun`.
  public init(
    _ launch: Launch, on machine: Machine, environment: [String: String],
    output: FileHandle? = nil, errors target: FileHandle = .standardError
  ) throws {
    let words = launch.arguments(on: machine, environment: environment)
    let folders = (environment["PATH"] ?? "/usr/bin").split(separator: ":")
    guard
      let path = folders.map({ "\($0)/\(words[0])" })
        .first(where: { FileManager.default.isExecutableFile(atPath: $0) })
    else { throw LaunchError(reason: "not found") }
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = Array(words.dropFirst())
    process.environment = environment
    process.standardInput = FileHandle.nullDevice
    if let output { process.standardOutput = output }
    process.standardError = errors
    reader = ErrorReader(target)
    do {
      try process.run()
    } catch {
      throw LaunchError(reason: error.localizedDescription)
    }
  }

  /// Hands the signals that end or steer a job on to `mpirun`, which hands them to the ranks.
  public func forwardSignals() {
    let child = process.processIdentifier
    for number in [SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2] {
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { kill(child, number) }
      source.resume()
      signals.append(source)
    }
  }

  /// Waits for the end of the job. Call it once.
  /// - Returns: the exit code of the rank that ended it; 69 if `mpirun` could not start or keep the
  ///   ranks; 128 and the signal's number if a signal ended `mpirun`.
  public func wait() -> Int32 {
    let finished = reader.read(errors.fileHandleForReading)
    process.waitUntilExit()
    // A daemon that outlives the job may hold the pipe open: what is to come comes at once.
    _ = finished.wait(timeout: .now() + 1)
    let status = process.terminationStatus
    guard process.terminationReason == .exit else {
      reader.finish(showingAll: true)
      return 128 + status
    }
    // Codes of sysexits.h are a rank's, which has said why.
    let isExplained = (64...78).contains(status)
    reader.finish(showingAll: !isExplained)
    return status == 0 || isExplained || status == 130 || status == 143 ? status : 69
  }
}

/// Copies `mpirun`'s errors, line by line, but for the noise.
private final class ErrorReader: @unchecked Sendable {
  private let lock = NSLock()
  private let target: FileHandle
  private var filter = LauncherNoise()
  private var rest = Data()

  init(_ target: FileHandle) { self.target = target }

  /// Reads until the end, on a thread of its own.
  func read(_ source: FileHandle) -> DispatchSemaphore {
    let finished = DispatchSemaphore(value: 0)
    let thread = Thread { [self] in
      while case let data = source.availableData, !data.isEmpty { take(data) }
      finished.signal()
    }
    thread.start()
    return finished
  }

  private func take(_ data: Data) {
    lock.withLock {
      rest += data
      while let end = rest.firstIndex(of: 0x0A) {
        write(filter.pass(String(decoding: rest[rest.startIndex..<end], as: UTF8.self)))
        rest = Data(rest[rest.index(after: end)...])
      }
    }
  }

  /// - Parameter showingAll: write what was held back.
  func finish(showingAll: Bool) {
    lock.withLock {
      if !rest.isEmpty { write(filter.pass(String(decoding: rest, as: UTF8.self))) }
      rest = Data()
      write(filter.finish(showingAll: showingAll))
    }
  }

  private func write(_ lines: [String]) {
    guard !lines.isEmpty else { return }
    target.write(Data((lines.joined(separator: "\n") + "\n").utf8))
  }
}
