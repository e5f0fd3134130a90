/// What a benchmark has to be told of the program that runs it.
public struct BenchmarkProgram: Sendable {
  public var version: String
  /// The commit that it was built from.
  public var commit: String
  public var environment: [String: String]
  /// The command line that repeats the measurement.
  public var command: String

  public init(version: String, commit: String, environment: [String: String], command: String) {
    self.version = version
    self.commit = commit
    self.environment = environment
    self.command = command
  }
}

/// Where a benchmark's results go as soon as they are known.
public struct BenchmarkOutput {
  /// Takes a line for people.
  public var line: (String) -> Void
  /// Takes an object for programs.
  public var record: (any Encodable) throws -> Void

  public init(line: @escaping (String) -> Void, record: @escaping (any Encodable) throws -> Void) {
    self.line = line
    self.record = record
  }
}
