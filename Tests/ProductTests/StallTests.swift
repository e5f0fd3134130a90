import Foundation
import TestSupport
import Testing

extension ProductTests {
  /// Ranks that do not go on are named, and end the job if they stay away.
  @Suite(.serialized) struct StallTests {
    private static let host = ProcessInfo.processInfo.hostName

    private func count(_ text: String, in whole: String) -> Int {
      whole.components(separatedBy: text).count - 1
    }

    @Test(
      "a stopped rank is named, recorded, and ends the job",
      arguments: Thoroughness.cases([0, 1, 2], everyday: [0]))
    func stopped(rank: Int) throws {
      let job = try RunningJob(RunningJob.launch)
      try job.waitForSteps()
      kill(try job.rank(rank), SIGSTOP)
      #expect(try job.end() == 69, "\(job.errors)")
      let name = "rank \(rank) on \(Self.host): step "
      #expect(count("warning: no progress for 3 s: \(name)", in: job.errors) == 1, "\(job.errors)")
      #expect(count("error: no progress for 6 s: \(name)", in: job.errors) == 1, "\(job.errors)")
      #expect(job.errors.contains("its process is stopped"))
      let speaker = rank == 0 ? "[1/3 \(Self.host)] " : ""
      #expect(job.errors.contains("\n\(speaker)error: "), "\(job.errors)")
      // The root rank records.
      #expect(job.metrics.contains("\"ends\":true,\"event\":\"stall\"") == (rank != 0))
    }

    @Test("a stopped rank that goes on in time costs a warning only", .thorough)
    func goesOn() throws {
      let job = try RunningJob(RunningJob.launch, stallSeconds: 8)
      try job.waitForSteps()
      let pid = try job.rank(1)
      kill(pid, SIGSTOP)
      try RunningJob.wait("a warning") { job.errors.contains("warning: no progress") }
      kill(pid, SIGCONT)
      let size = job.metrics.count
      try RunningJob.wait("more steps: \(job.errors)") {
        job.metrics.dropFirst(size).contains("\"event\":\"step\"")
      }
      kill(try job.lockstep, SIGTERM)
      _ = try job.end()
      #expect(count("no progress", in: job.errors) == 1, "\(job.errors)")
    }

    @Test("a rank that is stopped before MPI has started is named")
    func atStart() throws {
      let wrapper = "[ $PMIX_RANK = 1 ] && kill -STOP $$; exec \"$0\" \"$@\""
      let job = try RunningJob(
        Launching.mpirunWords(3) + ["sh", "-c", wrapper, Launching.lockstep])
      try RunningJob.wait("a warning") { job.errors.contains("warning: no progress") }
      // A launcher that is slow to end the others, who see the speaker gone.
      let launcher = try job.launcher
      kill(launcher, SIGSTOP)
      try RunningJob.wait("rank 0 to end") { !job.members.contains { $0.rank == 0 } }
      sleep(1)
      #expect(job.members.contains { $0.rank == 2 })
      kill(launcher, SIGCONT)
      #expect(try job.end() == 69, "\(job.errors)")
      #expect(
        count(
          "error: no progress for 6 s at the start: rank 1 on \(Self.host) is stopped",
          in: job.errors) == 1, "\(job.errors)")
    }

    @Test(
      "a rank that is stopped in an evaluation is named with it",
      .thorough)
    func inEvaluation() throws {
      // One step, and 200,000 samples to evaluate.
      let data =
        "data={format: synthetic, features: 20, classes: 5, train: {samples: 64}, "
        + "test: {samples: 200000}}"
      let job = try RunningJob(
        RunningJob.launch, settings: RunningJob.endless + [data, "log.every-steps=1"])
      try job.waitForSteps()
      kill(try job.rank(1), SIGSTOP)
      #expect(try job.end() == 69, "\(job.errors)")
      #expect(job.errors.contains("evaluation"), "\(job.errors)")
    }

    @Test("a rank that hangs by itself names itself")
    func itself() throws {
      let result = try Launching.mpirun(1, [Launching.rankCases, "sleeping-watched"])
      #expect(result.status == 69 && !result.isTimedOut, "\(result.errors)")
      #expect(
        result.errors.contains("error: no progress for 4 s: rank 0 on "), "\(result.errors)")
    }

    @Test("SIGUSR2 to the launcher, or to a rank, says where every rank is, and the job goes on")
    func status() throws {
      let job = try RunningJob(RunningJob.launch, stallSeconds: 60)
      try job.waitForSteps()
      for pid in [try job.lockstep, try job.rank(2)] {
        let before = job.errors.count
        kill(pid, SIGUSR2)
        try RunningJob.wait("an answer: \(job.errors)") {
          count("\nrank ", in: "\n" + job.errors.dropFirst(before)) >= 3
        }
        // All at once would be nine.
        usleep(500_000)
        let answer = job.errors.dropFirst(before)
        for rank in 0..<3 {
          #expect(
            count("rank \(rank) on \(Self.host): step ", in: String(answer)) == 1, "\(answer)")
        }
      }
      let size = job.metrics.count
      try RunningJob.wait("more steps") {
        job.metrics.dropFirst(size).contains("\"event\":\"step\"")
      }
      kill(try job.lockstep, SIGTERM)
      _ = try job.end()
    }

    @Test(
      "a rank that leaves out a call is named",
      arguments: Thoroughness.cases(["sleeping", "leaving"], everyday: ["sleeping"]))
    func leftOut(how: String) throws {
      let result = try Launching.mpirun(3, [Launching.rankCases, "\(how)-watched"])
      #expect(result.status == 69 && !result.isTimedOut, "\(result.errors)")
      #expect(
        result.errors.contains("error: no progress for 4 s: rank 2 on "), "\(result.errors)")
    }

    @Test("a rank that ends without a word ends the job")
    func ends() throws {
      let result = try Launching.mpirun(3, [Launching.rankCases, "silent-exit"])
      #expect(result.status != 0 && !result.isTimedOut, "\(result.errors)")
      #expect(!result.output.contains("passed"))
    }
  }
}
