import Testing

@testable import Experiments

@Suite("what mpirun adds to an exit code")
struct LauncherNoiseTests {
  private let rule = String(repeating: "-", count: 74)

  private func shown(_ lines: [String], all: Bool, expected: Set<Int32> = []) -> [String] {
    var filter = LauncherNoise()
    filter.expected = expected
    return lines.flatMap { filter.pass($0) } + filter.finish(showingAll: all)
  }

  @Test("blocks that repeat an exit code wait for the code; everything else passes")
  func blocks() {
    let error = "error: a batch of 2 samples cannot be shared by 3 ranks"
    let noise = [
      rule, "Primary job  terminated normally, but 1 process returned",
      "a non-zero exit code. Per user-direction, the job has been aborted.", rule, rule,
      "mpirun detected that one or more processes exited with non-zero status, thus causing",
      "the job to be terminated. The first process to do so was:", "", "  Exit code:    64", rule,
    ]
    #expect(shown([error] + noise, all: false) == [error])
    #expect(shown([error] + noise, all: true) == [error] + noise)

    let slots = [rule, "There are not enough slots available in the system", rule]
    #expect(shown(slots + [error], all: false) == slots + [error])
    let killed = [
      rule, "mpirun noticed that process rank 1 with PID 0 on node vm exited on signal 9 (Killed).",
      rule,
    ]
    #expect(shown(killed, all: false) == ["error: rank 1 on vm was ended by signal 9 (Killed)"])
    let cut = [
      rule, "ORTE has lost communication with a remote daemon.", "",
      "  HNP daemon   : [[38273,0],0] on node host1",
      "  Remote daemon: [[38273,0],1] on node host2", "", rule,
    ]
    #expect(
      shown(cut, all: false)
        == ["error: host host2 no longer answers, or Open MPI's daemon there has ended"])
    let abort = [rule, "MPI_ABORT was invoked on rank 1 in communicator MPI_COMM_WORLD", rule]
    #expect(shown(abort, all: false).isEmpty)
    let echo = "[host:12] 1 more process has sent help message help-mpi-api.txt / mpi-abort"
    #expect(shown([echo, error], all: false) == [error])
  }

  @Test("a rank that ends by the signal that was to end it is not blamed")
  func expected() {
    func ended(by signal: String) -> [String] {
      let line =
        "mpirun noticed that process rank 0 with PID 7 on node vm exited on signal \(signal)."
      return [rule, line, rule]
    }
    let asked = ended(by: "10 (User defined signal 1)")
    #expect(shown(asked, all: false, expected: [10]).isEmpty)
    #expect(
      shown(asked, all: false)
        == ["error: rank 0 on vm was ended by signal 10 (User defined signal 1)"])
    #expect(
      shown(ended(by: "11 (Segmentation fault)"), all: false, expected: [10])
        == ["error: rank 0 on vm was ended by signal 11 (Segmentation fault)"])
  }

  @Test("a block that does not end is shown; short dashes are no rule")
  func unfinished() {
    #expect(shown([rule, "half"], all: false) == [rule, "half"])
    #expect(shown(["---", "a", "---"], all: false) == ["---", "a", "---"])
  }
}
