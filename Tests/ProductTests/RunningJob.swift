import Foundation
import TestSupport
import Testing

/// A training job to which something happens while it runs, and its processes on this machine.
/// They are known by a variable in their environment: nobody else's are touched.
final class RunningJob {
  struct Member {
    var pid: pid_t
    var command: String
    /// Nil if it is no rank.
    var rank: Int?
    /// Of Open MPI's session, in hexadecimal; nil if it is no rank.
    var job: String?
  }

  let folder: TemporaryDirectory
  /// The configuration's.
  let file: String
  private let process = Process()
  private let mark = "TEST_JOB=\(UUID().uuidString)"
  /// Names by which the job's files are known, collected while it runs.
  private var traces: Set<String> = []

  /// Trains with a short limit for stalls.
  /// - Parameters:
  ///   - start: words in front of `lockstep train`.
  ///   - settings: `key=value` each.
  init(
    _ start: [String], configuration: String = smallConfiguration,
    settings: [String] = RunningJob.endless, stallSeconds: Double = 3
  ) throws {
    folder = try TemporaryDirectory()
    file = try folder.file("config.yaml", configuration)
    let settings = ["training.stall-seconds=\(stallSeconds)"] + settings
    let words =
      start + ["train", file, "--output", run, "--quiet"] + settings.flatMap { ["--set", $0] }
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    // Whatever the test does, an end comes.
    process.arguments = [mark, "timeout", "-k", "5", "90"] + words
    var environment = ProcessInfo.processInfo.environment
    for name in environment.keys where name.hasPrefix("LOCKSTEP_") { environment[name] = nil }
    process.environment = environment
    process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle(forWritingAtPath: try folder.file("errors", ""))
    var none = sigset_t()
    var previous = sigset_t()
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &previous)
    defer { pthread_sigmask(SIG_SETMASK, &previous, nil) }
    try process.run()
  }

  deinit {
    for member in members { kill(member.pid, SIGKILL) }
    process.waitUntilExit()
  }

  static let launch = [Launching.lockstep, "launch", "-n", "3"]

  /// Settings by which a job goes on until something happens to it.
  static let endless = ["training.epochs=1000000", "log.every-steps=100"]

  // MARK: What can be seen

  var errors: String {
    (try? String(contentsOfFile: folder.path + "/errors", encoding: .utf8)) ?? ""
  }

  /// The run directory.
  var run: String { folder.path + "/run" }

  var metrics: String {
    (try? String(contentsOfFile: run + "/metrics.jsonl", encoding: .utf8)) ?? ""
  }

  var isRunning: Bool { process.isRunning }

  /// Its processes; those that have ended and wait to be asked how are not among them.
  var members: [Member] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    let members = names.compactMap { name -> Member? in
      guard let pid = pid_t(name),
        let data = FileManager.default.contents(atPath: "/proc/\(pid)/environ")
      else { return nil }
      let variables = data.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
      guard variables.contains(mark),
        let command = try? String(contentsOfFile: "/proc/\(pid)/comm", encoding: .utf8)
      else { return nil }
      func value(_ name: String) -> String? {
        variables.first { $0.hasPrefix(name + "=") }.map { String($0.dropFirst(name.count + 1)) }
      }
      return Member(
        pid: pid, command: command.trimmingCharacters(in: .newlines),
        rank: value("PMIX_RANK").flatMap { Int($0) },
        job: value("PMIX_NAMESPACE").flatMap { UInt32($0) }.map { String($0, radix: 16) })
    }
    for member in members {
      if let job = member.job { traces.insert(job) }
      if member.command == "mpirun" { traces.insert("\(member.pid)") }
    }
    return members
  }

  func rank(_ rank: Int) throws -> pid_t {
    try #require(members.first { $0.rank == rank }, "rank \(rank) is not there").pid
  }

  var launcher: pid_t {
    get throws { try #require(members.first { $0.command == "mpirun" }).pid }
  }

  /// `lockstep launch`.
  var lockstep: pid_t {
    get throws {
      try #require(members.first { $0.command == "lockstep" && $0.rank == nil }).pid
    }
  }

  /// Session folders and files in shared memory that carry the job's names.
  var files: [String] {
    let memory = (try? FileManager.default.contentsOfDirectory(atPath: "/dev/shm")) ?? []
    let sessions =
      ((try? FileManager.default.contentsOfDirectory(atPath: "/tmp")) ?? [])
      .filter { $0.hasPrefix("ompi.") }
      .flatMap { (try? FileManager.default.contentsOfDirectory(atPath: "/tmp/\($0)")) ?? [] }
    return (memory + sessions).filter { name in
      name.split(separator: ".").contains { traces.contains(String($0)) }
    }
  }

  // MARK: Waiting

  /// Waits for something to become true.
  /// - Parameter pause: microseconds from look to look.
  static func wait(
    _ what: String, seconds: Double = 40, pause: UInt32 = 50_000,
    sourceLocation: SourceLocation = #_sourceLocation, until condition: () throws -> Bool
  ) throws {
    let end = DispatchTime.now() + seconds
    while try !condition() {
      try #require(
        DispatchTime.now() < end, "waited for \(what)", sourceLocation: sourceLocation)
      usleep(pause)
    }
  }

  /// Waits until steps have been made.
  func waitForSteps(sourceLocation: SourceLocation = #_sourceLocation) throws {
    try RunningJob.wait("steps: \(errors)", sourceLocation: sourceLocation) {
      metrics.contains("\"event\":\"step\"")
    }
    // News of them reach the other ranks.
    sleep(1)
    _ = members
  }

  /// Waits for the job's end, and expects that nothing is left of it.
  /// - Parameter seconds: how long the end may take.
  /// - Returns: the exit code.
  func end(
    seconds: Double = 40, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> Int32 {
    try RunningJob.wait("the end: \(errors)", seconds: seconds, sourceLocation: sourceLocation) {
      !process.isRunning
    }
    // What was ended from outside may take a moment.
    try RunningJob.wait("processes to go: \(members)", seconds: 10, sourceLocation: sourceLocation)
    {
      members.isEmpty
    }
    try RunningJob.wait("files to go: \(files)", seconds: 5, sourceLocation: sourceLocation) {
      files.isEmpty
    }
    return process.terminationStatus
  }
}
