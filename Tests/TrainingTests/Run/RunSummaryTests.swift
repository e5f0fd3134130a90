import Foundation
import Testing

@testable import Training

@Suite("summary.json")
struct RunSummaryTests {
  private func summary() -> RunSummary {
    RunSummary(
      status: "completed", ranks: 2, nodes: 1, batchSize: 32, steps: 10, epochs: 1, trainLoss: 0.5,
      testLoss: 0.25, testAccuracy: 0.75, bestEpoch: 1, bestLoss: 0.25, samplesPerSecond: 100,
      seconds: 3, timeToFirstStep: 1,
      computeShare: 0.5, communicationShare: 0.25, dataShare: 0.25, peakRssBytes: [1, 2],
      parameters: 7, parameterSha256: "ab", replicasEqual: true, kernels: "avx2",
      algorithm: "tree")
  }

  private func object(_ summary: RunSummary) throws -> [String: Any] {
    let data = try JSONEncoder.lockstep(pretty: true).encode(summary)
    return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
  }

  /// What the interface promises.
  static let promised: Set<String> = [
    "status", "ranks", "steps", "epochs", "train-loss", "test-loss", "test-accuracy",
    "samples-per-second", "seconds", "time-to-first-step", "compute-share", "communication-share",
    "data-share", "peak-rss-bytes", "parameters", "parameter-sha256",
  ]

  @Test("every promised key is there, in kebab-case, and so are the others")
  func keys() throws {
    let keys = Set(try object(summary()).keys)
    #expect(RunSummaryTests.promised.isSubset(of: keys))
    #expect(
      keys.subtracting(RunSummaryTests.promised)
        == [
          "nodes", "batch-size", "best-epoch", "best-loss", "replicas-equal", "kernels",
          "algorithm",
        ])
  }

  @Test("values are the summary's, with memory per rank")
  func values() throws {
    let object = try object(summary())
    #expect(object["test-accuracy"] as? Double == 0.75)
    #expect(object["peak-rss-bytes"] as? [Int] == [1, 2])
    #expect(object["parameter-sha256"] as? String == "ab")
    #expect(object["replicas-equal"] as? Bool == true)
  }

  @Test("without a test set there are no test results")
  func noTest() throws {
    var summary = summary()
    (summary.testLoss, summary.testAccuracy) = (nil, nil)
    let keys = Set(try object(summary).keys)
    #expect(!keys.contains("test-loss") && !keys.contains("test-accuracy"))
  }
}
