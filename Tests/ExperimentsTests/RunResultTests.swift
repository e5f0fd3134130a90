import Testing
import TestSupport

@testable import Experiments

@Suite("what an experiment reads of a run")
struct RunResultTests {
  let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory() }

  /// A summary's lines, some of them replaced, or left out where the replacement is empty.
  private func summary(_ changes: [String: String] = [:]) -> String {
    var fields = [
      "ranks": "2", "batch-size": "32", "samples-per-second": "1000.5",
      "communication-share": "0.25", "test-accuracy": "0.9", "replicas-equal": "true",
      "parameter-sha256": "\"ab\"", "status": "\"completed\"",
    ]
    fields.merge(changes) { $1 }
    let lines = fields.filter { !$0.value.isEmpty }.map { "\"\($0.key)\": \($0.value)" }
    return "{" + lines.joined(separator: ", ") + "}"
  }

  private func read(_ text: String) throws -> RunResult {
    try RunResult(summaryPath: try folder.file("summary.json", text), ranks: 2)
  }

  @Test("a summary is read, whatever else is in it")
  func good() throws {
    let expected = RunResult(
      ranks: 2, batchSize: 32, samplesPerSecond: 1000.5, communicationShare: 0.25,
      testAccuracy: 0.9, replicasEqual: true, parameterHash: "ab")
    #expect(try read(summary()) == expected)
    #expect(try read(summary(["test-accuracy": ""])).testAccuracy == nil)
  }

  @Test(
    "a summary that is not usable is refused with a reason in words",
    arguments: [
      ("ranks", "", "'ranks' is missing"),
      ("parameter-sha256", "", "'parameter-sha256' is missing"),
      ("samples-per-second", "\"fast\"", "'samples-per-second' is not what it should be"),
      ("batch-size", "null", "'batch-size' is not what it should be"),
      ("replicas-equal", "1", "'replicas-equal' is not what it should be"),
      ("samples-per-second", "0", "samples-per-second is 0.0"),
      ("samples-per-second", "-3", "samples-per-second is -3.0"),
      ("ranks", "4", "it is of 4 ranks, and 2 were started"),
    ])
  func bad(key: String, value: String, reason: String) {
    let error = #expect(throws: UnreadableSummary.self) { try read(summary([key: value])) }
    #expect(error?.description == "\(folder.path)/summary.json: \(reason)")
  }

  @Test("what is no JSON object is refused", arguments: ["", "{", "[]", "3", "no"])
  func noObject(text: String) {
    let error = #expect(throws: UnreadableSummary.self) { try read(text) }
    #expect(["it is not JSON", "it is not an object"].contains(error?.reason))
  }

  @Test("a missing summary is said to be missing")
  func missing() {
    let path = "\(folder.path)/none"
    let error = #expect(throws: UnreadableSummary.self) {
      try RunResult(summaryPath: path, ranks: 1)
    }
    #expect(error?.description == "\(path): there is no such file, or it cannot be read")
  }
}
