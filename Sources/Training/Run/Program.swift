import Foundation

/// What a run needs to know of the program that runs it.
public struct Program: Sendable {
  public var version: String
  /// The commit that it was built from.
  public var commit: String
  public var environment: [String: String]
  /// Nothing on standard output.
  public var isQuiet: Bool
  /// The file that it was started from, by which ranks are compared; nil where they are threads of one
  /// process.
  public var path: String?

  public init(
    version: String, commit: String, environment: [String: String], isQuiet: Bool,
    path: String? = nil
  ) {
    self.version = version
    self.commit = commit
    self.environment = environment
    self.isQuiet = isQuiet
    self.path = path
  }

  /// Goes on only if all ranks run the same program, byte for byte. Collective.
  /// - Throws: `JointFailure`.
  func requireSame(in world: World) throws {
    guard world.size > 1 else { return }
    let hash = try world.together { () -> String in
      guard let path else { return "" }
      guard let bytes = try? Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
      else { throw TrainingError(ExitStatus.inputOutput, "\(path): cannot be read") }
      let hash = SHA256()
      bytes.withUnsafeBytes { hash.add($0) }
      return SHA256.hexadecimal(hash.finish())
    }
    try world.requireEqual(hash, "the program is", exitCode: ExitStatus.usage)
  }
}
