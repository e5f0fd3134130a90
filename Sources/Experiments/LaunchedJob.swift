import Foundation
import Synchronization

/// A job under `mpirun`, from its start to its exit code.
public final class LaunchedJob {
  private let process: ChildProcess
  private let processes = JobProcesses()
  private let environment: [String: String]
  private let errors = Pipe()
  private let reader: ErrorReader
  private var signals: [any DispatchSourceSignal] = []
  private let forwarded = Mutex<Int32?>(nil)

  /// Starts the job. Its standard input is empty.
  /// - Parameters:
  ///   - output: where its output goes; nil for this process's own.
  ///   - errors: where its errors go, without what `mpirun` adds to an exit code that says enough.
  /// - Throws: `LaunchError` if there is no `mpirun`; what `Launch.validate` throws.
  public init(
    _ launch: Launch, on machine: Machine, environment: [String: String],
    output: FileHandle? = nil, errors target: FileHandle = .standardError
  ) throws {
    try launch.validate()
    var environment = environment
    environment[JobProcesses.variable] = processes.name
    self.environment = environment
    let words = launch.arguments(on: machine, environment: environment)
    let folders = (environment["PATH"] ?? "/usr/bin").split(separator: ":")
    guard
      let path = folders.map({ "\($0)/\(words[0])" })
        .first(where: { FileManager.default.isExecutableFile(atPath: $0) })
    else { throw LaunchError(reason: "not found") }
    reader = ErrorReader(target)
    process = try ChildProcess(
      path, words, environment: environment, output: output?.fileDescriptor ?? STDOUT_FILENO,
      errors: errors.fileHandleForWriting.fileDescriptor)
    try? errors.fileHandleForWriting.close()
  }

  /// Whether a signal that ends the job has been handed on.
  public var isInterrupted: Bool { forwarded.withLock { $0 != nil } }

  /// Hands the signals that end or steer a job on to the ranks; but not those that were ignored when
  /// this process began, as `nohup` has it.
  ///
  /// Ranks get SIGUSR1 for each that asks the job to end, since that is what `mpirun` passes on; for
  /// SIGTERM and SIGINT of its own it kills the ranks two seconds later, whatever they are saving. A
  /// second SIGINT, and SIGQUIT, are for those who do not want to wait.
  public func forwardSignals() {
    let child = process.id
    for number in [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2] {
      var disposition = sigaction()
      sigaction(number, nil, &disposition)
      if unsafeBitCast(disposition.__sigaction_handler.sa_handler, to: Int.self) == 1 { continue }
      Foundation.signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { [self] in
        // One asks where the ranks are, and stops nothing.
        let earlier = forwarded.withLock { forwarded in
          defer { if number != SIGUSR2 { forwarded = number } }
          return forwarded
        }
        let signal = LaunchedJob.signal(for: number, after: earlier)
        if number != SIGUSR2 { reader.expect(signal) }
        kill(child, signal)
      }
      source.resume()
      signals.append(source)
    }
  }

  /// What `mpirun` gets for a signal.
  /// - Parameter earlier: the one before, if there was one.
  static func signal(for number: Int32, after earlier: Int32?) -> Int32 {
    switch number {
    case SIGUSR2: SIGUSR2
    case SIGQUIT: SIGTERM
    case SIGINT where earlier != nil: SIGTERM
    default: SIGUSR1
    }
  }

  /// Waits for the end of the job: no process of it is left on this host, and no file of Open MPI's.
  /// Call it once.
  /// - Returns: the exit code of the rank that ended it; 69 if `mpirun` could not start or keep the
  ///   ranks; 128 and the signal's number if a signal ended the job.
  public func wait() -> Int32 {
    let finished = reader.read(errors.fileHandleForReading)
    let end = process.wait()
    // `mpirun` leaves nothing, unless it is killed; then its ranks notice within a second.
    processes.end(by: .now() + 2)
    SessionFiles(of: process.id, environment: environment)?.remove()
    // A daemon that outlives the job may hold the pipe open: what is to come comes at once.
    _ = finished.wait(timeout: .now() + 5)
    for source in signals {
      source.cancel()
      Foundation.signal(Int32(source.handle), SIG_DFL)
    }
    signals = []
    let handedOn = forwarded.withLock { $0 }
    switch end {
    case .signal(let number):
      reader.finish(showingAll: true)
      if handedOn == nil {
        let name = String(cString: strsignal(number))
        reader.add("error: mpirun was ended by signal \(number) (\(name))")
      }
      // One that was handed on stands for the one that came.
      return 128 + (handedOn.flatMap { reader.expects(number) ? $0 : nil } ?? number)
    case .exit(let status):
      // Codes of sysexits.h are a rank's, which has said why.
      let isExplained = status == 0 || (64...78).contains(status)
      reader.finish(showingAll: !isExplained && handedOn == nil)
      if isExplained { return status }
      return handedOn.map { 128 + $0 } ?? 69
    }
  }
}

/// Copies `mpirun`'s errors, line by line, but for the noise.
private final class ErrorReader: @unchecked Sendable {
  private let lock = NSLock()
  private let target: FileHandle
  private var filter = LauncherNoise()
  private var rest = Data()
  private var isFinished = false

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
      guard !isFinished else { return }
      rest += data
      while let end = rest.firstIndex(of: 0x0A) {
        write(filter.pass(String(decoding: rest[rest.startIndex..<end], as: UTF8.self)))
        rest = Data(rest[rest.index(after: end)...])
      }
    }
  }

  /// Ranks that end by this signal do as they were told.
  func expect(_ signal: Int32) { lock.withLock { _ = filter.expected.insert(signal) } }

  func expects(_ signal: Int32) -> Bool { lock.withLock { filter.expected.contains(signal) } }

  /// - Parameter showingAll: write what was held back.
  func finish(showingAll: Bool) {
    lock.withLock {
      if !rest.isEmpty { write(filter.pass(String(decoding: rest, as: UTF8.self))) }
      rest = Data()
      write(filter.finish(showingAll: showingAll))
      isFinished = true
    }
  }

  /// Writes a line of this process's own.
  func add(_ line: String) { lock.withLock { write([line]) } }

  private func write(_ lines: [String]) {
    guard !lines.isEmpty else { return }
    try? target.write(contentsOf: Data((lines.joined(separator: "\n") + "\n").utf8))
  }
}
