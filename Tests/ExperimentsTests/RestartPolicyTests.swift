import Testing

@testable import Experiments

@Suite("restarts")
struct RestartPolicyTests {
  private func pauses(limit: Int, steps: [Int], from start: Int = 0) -> [Int?] {
    var policy = RestartPolicy(limit: limit, step: start)
    return steps.map { policy.pause(afterExitCode: 69, step: $0) }
  }

  @Test("pauses double up to a minute while there is progress")
  func pauses() {
    #expect(
      pauses(limit: 8, steps: [1, 2, 3, 4, 5, 6, 7, 8, 9])
        == [1, 2, 4, 8, 16, 32, 60, 60, nil])
  }

  @Test("a restart after one without progress counts double")
  func withoutProgress() {
    #expect(pauses(limit: 1, steps: [0, 0]) == [1, nil])
    #expect(pauses(limit: 3, steps: [0, 0, 0]) == [1, 2, nil])
    #expect(pauses(limit: 4, steps: [50, 50, 60, 60], from: 50) == [1, 2, 4, nil])
  }

  @Test(
    "failures of ranks, hosts and disks are worth another attempt",
    arguments: [
      (69, true), (70, true), (74, true), (137, true), (143, true), (0, false), (64, false),
      (65, false), (66, false), (73, false), (75, false), (76, false),
    ] as [(Int32, Bool)])
  func codes(code: Int32, isWorthIt: Bool) {
    #expect(RestartPolicy.isWorthAnother(exitCode: code) == isWorthIt)
    var policy = RestartPolicy(limit: 1, step: 0)
    #expect((policy.pause(afterExitCode: code, step: 1) != nil) == isWorthIt)
  }

  @Test("without restarts there are none")
  func none() { #expect(pauses(limit: 0, steps: [1]) == [nil]) }
}
