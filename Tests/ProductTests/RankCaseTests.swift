import TestSupport
import Testing

extension ProductTests {
  /// The cases of Tests/RankCases, each on 1 to 5 ranks. One start of mpirun runs many of them.
  @Suite(.serialized) struct RankCaseTests {
    @Test(
      "cases pass under mpirun",
      arguments: [
        [
          "allreduce", "collectives", "in-flight", "large-counts", "measurement", "point-to-point",
          "shared-window", "split", "transport", "unforced", "errors",
        ],
        // It needs an MPI that was started in another way.
        ["mpi-allreduce"],
      ], Thoroughness.cases(Array(1...5), everyday: [1, 2, 4]))
    func passes(names: [String], ranks: Int) throws {
      try Launching.expectPassed(names, ranks)
    }

    @Test("operations that threads share take nothing from the heap")
    func threadAllocations() throws { try Launching.expectPassed(["thread-allocations"], 1) }

    @Test(
      "a step of training takes nothing from the heap",
      .enabled(
        if: Launching.releaseRankCases != nil,
        "optimized code only, which ./run.sh test builds"),
      arguments: [1, 2, 3])
    func stepAllocations(ranks: Int) throws {
      try Launching.expectPassed(
        ["step-allocations"], ranks, program: Launching.releaseRankCases!)
    }

    @Test("an error of one rank is reported once and ends the job with its exit code")
    func throwingRank() throws {
      let result = try Launching.mpirun(3, [Launching.rankCases, "throw"])
      #expect(result.status == 76)
      #expect(!result.isTimedOut)
      let lines = result.errors.split(separator: "\n").filter { $0.contains("on purpose") }
      #expect(lines.count == 1)
      #expect(lines.first?.hasPrefix("[2/3 ") == true, "\(result.errors)")
    }

    @Test("a request dropped before it has completed stops the process")
    func droppedRequest() throws {
      let result = try Launching.mpirun(1, [Launching.rankCases, "dropped-request"])
      #expect(result.status != 0 && !result.isTimedOut)
      #expect(!result.output.contains("passed"))
      #expect(result.errors.contains("an MPI request was dropped before it had completed"))
    }

    @Test("an unknown case is refused")
    func unknownCase() throws {
      #expect(try Command([Launching.rankCases, "nonsense"]).run().status == 64)
    }
  }
}
