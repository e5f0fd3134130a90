import Foundation
import TestSupport
import Testing

extension ProductTests.ResumeCommandTests {
  /// Who is killed, when, and with how many ranks the run goes on.
  struct Crash: CustomTestStringConvertible {
    let seed: Int
    /// A rank of two; nil is mpirun.
    let victim: Int?
    /// Steps that have been made before. One crash in five comes while the job starts.
    let steps: Int
    /// Milliseconds after that.
    let delay: Double
    let ranks: Int

    init(seed: Int) {
      self.seed = seed
      var random = SplitMix(state: UInt64(seed))
      victim = [0, 1, nil].randomElement(using: &random)!
      let isEarly = Int.random(in: 0..<5, using: &random) == 0
      steps = isEarly ? 0 : Int.random(in: 1...2500, using: &random)
      delay = Double.random(in: 0...(isEarly ? 600 : 10), using: &random)
      // As many, twice, half.
      ranks = [2, 4, 1].randomElement(using: &random)!
    }

    var testDescription: String {
      "seed \(seed): \(victim.map { "rank \($0)" } ?? "mpirun") after \(steps) steps and "
        + String(format: "%.1f ms, then on %d ranks", delay, ranks)
    }
  }

  private static let crashes: [Crash] = {
    let count = ProcessInfo.processInfo.environment["LOCKSTEP_TEST_KILLS"].flatMap { Int($0) }
    // Every day the root rank, and mpirun.
    let seeds =
      count.map { Array(1...max($0, 1)) } ?? Thoroughness.cases(Array(1...10), everyday: [3, 6])
    return seeds.map { Crash(seed: $0) }
  }()

  @Test(
    "a rank or mpirun is killed at any moment: the job ends, nothing is left, and the run goes on",
    arguments: crashes)
  func killed(_ crash: Crash) throws {
    let job = try RunningJob(
      [Launching.lockstep, "launch", "-n", "2"], configuration: Self.configuration, settings: [])
    try RunningJob.wait("ranks: \(job.errors)", pause: 10_000) {
      job.members.count { $0.rank != nil } == 2 || !job.isRunning
    }
    let victim = try crash.victim.map { try job.rank($0) } ?? job.launcher
    if crash.steps > 0 {
      try RunningJob.wait("steps: \(job.errors)", pause: 2000) {
        // A line each, and one when the run begins.
        job.metrics.utf8.count { $0 == UInt8(ascii: "\n") } > crash.steps || !job.isRunning
      }
    }
    usleep(UInt32(1000 * crash.delay))
    if job.isRunning { kill(victim, SIGKILL) }
    let status = try job.end(seconds: 10)
    // A run that had ended before is whole.
    if status != 0 || !FileManager.default.fileExists(atPath: job.run + "/summary.json") {
      let name = crash.victim.map { "rank \($0) on \(ProcessInfo.processInfo.hostName)" }
      #expect(status == (name == nil ? 128 + SIGKILL : 69), "\(job.errors)")
      let message = "error: \(name ?? "mpirun") was ended by signal 9 (Killed)\n"
      #expect(job.errors.hasSuffix(message), "\(job.errors)")
    }
    let again = try Launching.mpirun(
      crash.ranks,
      [Launching.lockstep, "train", job.file, "--output", job.run, "--resume", "auto"],
      timeLimit: 60)
    #expect(again.status == 0, "\(again.errors)")
    try expectWhole(job.run)
  }
}

/// Random numbers that are the same in every run of a test (Steele, Lea & Flood, OOPSLA 2014).
private struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
