import Foundation
import TestSupport
import Testing

extension ProductTests {
  /// Whatever is killed, the job ends, and nothing is left of it.
  @Suite(.serialized) struct DeathTests {
    @Test(
      "a rank that is killed is named and ends the job",
      arguments: Thoroughness.cases(0..<3, everyday: 1..<2))
    func rank(_ rank: Int) throws {
      let job = try RunningJob(RunningJob.launch)
      try job.waitForSteps()
      // Anywhere in a step.
      usleep(UInt32.random(in: 0...200_000))
      kill(try job.rank(rank), SIGKILL)
      #expect(try job.end() == 69)
      #expect(
        job.errors.hasSuffix(
          "error: rank \(rank) on \(ProcessInfo.processInfo.hostName) was ended by signal 9 (Killed)\n"
        ),
        "\(job.errors)")
    }

    @Test(
      "a rank that fails by itself says where it was, and ends the job",
      .enabled(
        if: SmallDisk.obstacle == nil,
        "no small disk can be made here: \(SmallDisk.obstacle ?? "")"))
    func fails() throws {
      let folder = try TemporaryDirectory()
      let file = try folder.file("config.yaml", smallConfiguration)
      let settings = RunningJob.endless + ["log.every-steps=1"]
      let result = try SmallDisk(path: "/mnt", size: "64k").run(
        Launching.mpirunWords(2) + [
          Launching.lockstep, "train", file, "--quiet", "--output", "/mnt/run",
        ] + settings.flatMap { ["--set", $0] })
      #expect(result.status == 74 && !result.isTimedOut, "\(result.errors)")
      let place = try Regex(
        #"\[0/2 [^ ]+\] error: step [1-9][0-9]*, [a-z]+: /mnt/run/metrics.jsonl: cannot be written: "#
      )
      #expect(result.errors.contains(place), "\(result.errors)")
    }

    @Test("a rank that hears of a death first leaves it to the launcher to name the dead")
    func brokenConnection() throws {
      let job = try RunningJob(RunningJob.launch)
      try job.waitForSteps()
      // As if it had written to a connection of rank 1.
      kill(try job.rank(0), SIGPIPE)
      usleep(300_000)
      kill(try job.rank(1), SIGKILL)
      #expect(try job.end() == 69)
      let name = "rank 1 on \(ProcessInfo.processInfo.hostName)"
      #expect(
        job.errors.hasSuffix("error: \(name) was ended by signal 9 (Killed)\n"), "\(job.errors)")
    }

    @Test("a rank whose connection breaks, and nobody has died, ends after a while", .thorough)
    func brokenConnectionOnly() throws {
      let job = try RunningJob(RunningJob.launch, stallSeconds: 60)
      try job.waitForSteps()
      kill(try job.rank(2), SIGPIPE)
      #expect(try job.end() == 69)
      let name = "rank 2 on \(ProcessInfo.processInfo.hostName)"
      #expect(job.errors.contains("error: \(name) was ended by signal 13 "), "\(job.errors)")
    }

    @Test("mpirun killed: its ranks end, and launch says so")
    func mpirun() throws {
      let job = try RunningJob(RunningJob.launch)
      try job.waitForSteps()
      usleep(UInt32.random(in: 0...200_000))
      kill(try job.launcher, SIGKILL)
      #expect(try job.end() == 128 + SIGKILL)
      #expect(
        job.errors.hasSuffix("error: mpirun was ended by signal 9 (Killed)\n"), "\(job.errors)")
    }

    @Test("mpirun killed while a rank is stopped: the stopped one goes too")
    func stopped() throws {
      let job = try RunningJob(RunningJob.launch, stallSeconds: 60)
      try job.waitForSteps()
      kill(try job.rank(1), SIGSTOP)
      kill(try job.launcher, SIGKILL)
      #expect(try job.end() == 128 + SIGKILL)
    }

    @Test("mpirun killed without anybody above it: ranks leave nothing")
    func alone() throws {
      let job = try RunningJob(Launching.mpirunWords(2) + [Launching.lockstep])
      try job.waitForSteps()
      kill(try job.launcher, SIGKILL)
      #expect(try job.end() != 0)
    }

    @Test(
      "launch killed: mpirun ends the job, and removes its files",
      arguments: Thoroughness.cases(0..<10, everyday: 0..<2))
    func launch(_: Int) throws {
      let job = try RunningJob(RunningJob.launch)
      try job.waitForSteps()
      usleep(UInt32.random(in: 0...200_000))
      kill(try job.lockstep, SIGKILL)
      #expect(try job.end() != 0)
    }

    @Test("a job that is killed while it starts leaves nothing", arguments: [0, 100, 300])
    func starting(milliseconds: UInt32) throws {
      let job = try RunningJob(RunningJob.launch)
      try RunningJob.wait("mpirun") { job.members.contains { $0.command == "mpirun" } }
      usleep(1000 * milliseconds)
      kill(try job.launcher, SIGKILL)
      #expect(try job.end() == 128 + SIGKILL)
    }
  }
}
