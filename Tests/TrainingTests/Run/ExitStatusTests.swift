import Collective
import Datasets
import Kernels
import Testing

@testable import Training

@Suite("exit codes")
struct ExitStatusTests {
  private struct Unheard: Error {}

  @Test("every kind of error has the code of sysexits that the interface promises")
  func codes() throws {
    let unusable = try #require(
      #expect(throws: UnusableInstructionSet.self) {
        try InstructionSet.selected(by: ["LOCKSTEP_KERNELS": "x"])
      })
    for (error, code): (any Error, Int32) in [
      (ConfigurationError(faults: []), 64), (UnreadableConfiguration(path: "c"), 66),
      (unusable, 64), (DatasetError(.missing, "f", ""), 66),
      (DatasetError(.malformed, "f", ""), 65), (DatasetError(.unreadable, "f", ""), 74),
      (TuningTableError(kind: .missing, path: "t", reason: ""), 66),
      (TuningTableError(kind: .malformed, path: "t", reason: ""), 65),
      (TuningTableError(kind: .unreadable, path: "t", reason: ""), 74),
      (TrainingError(ExitStatus.diverged, ""), 76), (TrainingError(ExitStatus.cannotWrite, ""), 73),
      (Unheard(), 70), (RankFailure(DatasetError(.unreadable, "f", ""), at: Place()), 74),
    ] {
      #expect(ExitStatus.of(error) == code, "\(error)")
    }
    #expect(ExitStatus.success == 0)
    #expect(ExitStatus.unavailable == 69)
    #expect(ExitStatus.inputOutput == 74)
  }
}
