import Foundation

/// Trains the same configuration on several numbers of ranks, in turns, and compares.
public struct ScalingExperiment: Sendable {
  public enum Mode: String, CaseIterable, Sendable {
    /// The same global batch on any number of ranks: each has less to do.
    case strong
    /// The same batch per rank: the global batch grows with the ranks.
    case weak
  }

  /// The configuration file.
  public var configuration: String
  /// Its global batch; in weak scaling, the batch of each rank.
  public var batchSize: Int
  public var ranks: [Int]
  /// Threads of each rank.
  public var threads: Int
  public var mode: Mode
  public var repeats: Int
  public var hostfile: String?
  /// More options for every `lockstep train`.
  public var options: [String]
  /// Where the runs and their output go.
  public var directory: String
  /// The program that trains.
  public var program: String

  public init(
    configuration: String, batchSize: Int, ranks: [Int], threads: Int = 1, mode: Mode,
    repeats: Int, hostfile: String?, options: [String], directory: String, program: String
  ) {
    self.configuration = configuration
    self.batchSize = batchSize
    self.ranks = ranks
    self.threads = threads
    self.mode = mode
    self.repeats = repeats
    self.hostfile = hostfile
    self.options = options
    self.directory = directory
    self.program = program
  }

  func globalBatch(ranks: Int) -> Int { mode == .strong ? batchSize : batchSize * ranks }

  /// One training run of the experiment.
  public struct Run: Sendable {
    public var ranks: Int
    /// From 1.
    public var repetition: Int
    public var directory: String
  }

  /// The runs in their order: every repetition goes once through all numbers of ranks, so that a
  /// machine that grows slower or faster does so for all of them.
  public var runs: [Run] {
    (1...repeats).flatMap { repetition in
      ranks.map {
        Run(
          ranks: $0, repetition: repetition,
          directory: "\(directory)/runs/ranks-\($0)-repeat-\(repetition)")
      }
    }
  }

  /// The line that starts a run.
  public func launch(_ run: Run) -> Launch {
    var command = [program, "train", configuration] + options
    command += ["--set", "training.batch-size=\(globalBatch(ranks: run.ranks))"]
    command += ["--output", run.directory]
    return Launch(ranks: run.ranks, threads: threads, hostfile: hostfile, command: command)
  }

  /// Makes a run and reads what it left; its output is kept beside its directory.
  /// - Throws: `RunFailed`.
  public func execute(
    _ run: Run, on machine: Machine, environment: [String: String]
  ) throws -> RunResult {
    let logPath = run.directory + ".log"
    try FileManager.default.createDirectory(
      atPath: directory + "/runs", withIntermediateDirectories: true)
    guard FileManager.default.createFile(atPath: logPath, contents: nil),
      let log = FileHandle(forWritingAtPath: logPath)
    else {
      throw RunFailed(run: run, exitCode: 73, lastLine: "\(logPath) cannot be written")
    }
    defer { try? log.close() }
    let job = try LaunchedJob(
      launch(run), on: machine, environment: environment, output: log, errors: log)
    job.forwardSignals()
    let code = job.wait()
    guard code == 0 else {
      let text = (try? String(contentsOfFile: logPath, encoding: .utf8)) ?? ""
      let lines = text.split(separator: "\n").filter { !$0.hasPrefix("-----") }
      let last =
        (lines.last { $0.contains("error: ") } ?? lines.last).map(String.init) ?? "no output"
      throw RunFailed(run: run, exitCode: code, lastLine: last)
    }
    return try RunResult(summaryPath: run.directory + "/summary.json", ranks: run.ranks)
  }
}

/// A run of an experiment did not end well.
public struct RunFailed: Error, CustomStringConvertible {
  public var run: ScalingExperiment.Run
  public var exitCode: Int32
  public var lastLine: String

  public var description: String {
    "the run on \(run.ranks) rank\(run.ranks == 1 ? "" : "s"), repeat \(run.repetition), ended with "
      + "\(exitCode): \(lastLine)\nits output is in \(run.directory).log"
  }
}
