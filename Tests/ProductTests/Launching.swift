import Foundation
import TestSupport
import Testing

/// Programs of the package, started as users start them.
enum Launching {
  static let lockstep = Location.product("lockstep")
  static let rankCases = Location.product("RankCases")

  /// What run.sh builds.
  static let releaseBinary = Location.package + "/.build/release/lockstep"

  /// Whether it is up to date: run.sh would go straight to work.
  static let isReleaseBuilt =
    isUpToDate(releaseBinary, with: ["Sources", "Package.swift"])
    && FileManager.default.fileExists(atPath: releaseBinary + ".commit")

  /// The optimized build of `rankCases`; nil if there is none, or not of this source.
  static let releaseRankCases: String? = {
    let path = Location.package + "/.build/release/RankCases"
    let sources = ["Sources", "Package.swift", "Tests/RankCases", "Tests/CAllocations"]
    return isUpToDate(path, with: sources) ? path : nil
  }()

  private static func isUpToDate(_ binary: String, with sources: [String]) -> Bool {
    let newer = try? Command(
      ["find"] + sources.map { "\(Location.package)/\($0)" }
        + ["-newer", binary, "-print", "-quit"]
    ).run()
    return newer?.status == 0 && newer?.output.isEmpty == true
  }

  /// `mpirun` with what a loaded machine and the superuser need.
  static func mpirunWords(_ ranks: Int) -> [String] {
    var line = ["mpirun", "-n", "\(ranks)", "--oversubscribe", "--bind-to", "none", "--quiet"]
    if geteuid() == 0 { line.append("--allow-run-as-root") }
    line += ["--mca", "mpi_yield_when_idle", "1"]
    return line
  }

  /// Runs a program on many ranks. A deadlock ends after `timeLimit` seconds, with an exit code
  /// that is not 0. Ranks that yield on a loaded machine take several times what they take alone.
  static func mpirun(
    _ ranks: Int, _ words: [String], environment: [String: String] = [:], directory: String? = nil,
    timeLimit: Double = 600
  ) throws -> Command.Result {
    var environment = environment
    environment["MPIEXEC_TIMEOUT"] = "\(Int(timeLimit))"
    return try Command(
      mpirunWords(ranks) + words, environment: environment, directory: directory,
      timeLimit: timeLimit + 10
    ).run()
  }

  /// Runs cases of Tests/RankCases, one after the other, which must all pass.
  static func expectPassed(
    _ names: [String], _ ranks: Int, program: String = rankCases,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let result = try mpirun(ranks, [program] + names)
    #expect(result.status == 0, "\(result.errors)", sourceLocation: sourceLocation)
    #expect(
      result.output == names.map { "passed \($0) on \(ranks)\n" }.joined(),
      sourceLocation: sourceLocation)
  }

  /// `lockstep` alone.
  static func alone(
    _ words: [String], environment: [String: String] = [:], directory: String? = nil
  ) throws -> Command.Result {
    try Command([lockstep] + words, environment: environment, directory: directory).run()
  }
}

/// A small classification problem without files.
let smallConfiguration = """
  data: {format: synthetic, features: 20, classes: 5, train: {samples: 300}, test: {samples: 90}}
  model: [{dense: 17}, relu, {dense: 5}]
  optimizer: {learning-rate: 0.05, momentum: 0.9}
  training: {epochs: 3, batch-size: 64}
  log: {every-steps: 1}
  output: run
  """

/// What a run left in `directory`.
struct LeftBehind {
  let summary: [String: Any]
  let losses: [Double]

  init(_ directory: String) throws {
    let data = try Data(contentsOf: URL(fileURLWithPath: directory + "/summary.json"))
    summary = try JSONSerialization.jsonObject(with: data) as! [String: Any]
    losses = try String(contentsOfFile: directory + "/metrics.jsonl", encoding: .utf8)
      .split(separator: "\n")
      .map { try JSONSerialization.jsonObject(with: Data($0.utf8)) as! [String: Any] }
      .filter { $0["event"] as? String == "step" }
      .map { $0["loss"] as! Double }
  }

  var hash: String { summary["parameter-sha256"] as! String }
}
