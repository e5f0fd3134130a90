import Foundation

/// A program started by a test, with a limit on its time.
public struct Command {
  public struct Result: Sendable {
    public var status: Int32
    public var output: String
    public var errors: String
    /// Ended because its time was up.
    public var isTimedOut: Bool
  }

  public var words: [String]
  public var environment: [String: String]
  public var directory: String?
  /// Seconds after which it is ended: a deadlock is a failure, not a hang.
  public var timeLimit: Double

  /// - Parameter environment: added to this process's own.
  public init(
    _ words: [String], environment: [String: String] = [:], directory: String? = nil,
    timeLimit: Double = 120
  ) {
    self.words = words
    self.environment = environment
    self.directory = directory
    self.timeLimit = timeLimit
  }

  /// Runs the program to its end.
  public func run() throws -> Result {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    // `timeout` gives the program a process group and ends it as a whole.
    process.arguments = ["timeout", "-k", "5", "\(timeLimit)"] + words
    var all = ProcessInfo.processInfo.environment
    for name in all.keys where name.hasPrefix("LOCKSTEP_") || name == "DRY_RUN" { all[name] = nil }
    all.merge(environment) { $1 }
    process.environment = all
    if let directory { process.currentDirectoryURL = URL(fileURLWithPath: directory) }
    process.standardInput = FileHandle.nullDevice
    // Files, not pipes: nobody has to read while the program writes.
    let folder = try TemporaryDirectory()
    let outputPath = try folder.file("output", "")
    let errorPath = try folder.file("errors", "")
    process.standardOutput = FileHandle(forWritingAtPath: outputPath)
    process.standardError = FileHandle(forWritingAtPath: errorPath)
    // Tests run on threads that block signals, and a child inherits what is blocked: unblocked
    // here, it can be interrupted as from a shell.
    var none = sigset_t()
    var previous = sigset_t()
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &previous)
    defer { pthread_sigmask(SIG_SETMASK, &previous, nil) }
    try process.run()
    process.waitUntilExit()
    return Result(
      status: process.terminationStatus,
      output: try String(contentsOfFile: outputPath, encoding: .utf8),
      errors: try String(contentsOfFile: errorPath, encoding: .utf8),
      isTimedOut: process.terminationStatus == 124 || process.terminationStatus == 137)
  }
}

/// Where things are while tests run.
public enum Location {
  /// The package's folder.
  public static let package = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

  /// A program of the package, built beside the test bundle.
  public static func product(_ name: String) -> String {
    // /proc/self/exe is the test runner, in the build folder or in the toolchain: the bundle is
    // among the arguments or is the program itself.
    let candidates =
      ProcessInfo.processInfo.arguments + [
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
      ]
    for candidate in candidates {
      let path = URL(fileURLWithPath: candidate).deletingLastPathComponent().path + "/" + name
      if FileManager.default.isExecutableFile(atPath: path) { return path }
    }
    return "\(package)/.build/debug/\(name)"
  }
}
