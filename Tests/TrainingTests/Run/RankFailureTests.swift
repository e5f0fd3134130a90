import Testing

@testable import Training

@Suite("a rank that fails alone")
struct RankFailureTests {
  private struct Accident: Error, CustomStringConvertible {
    let description = "an accident"
  }

  private let yaml = """
    data: {format: synthetic, features: 6, classes: 3, train: {samples: 60}}
    model: [{dense: 3}]
    training: {epochs: 2, batch-size: 12}
    """

  @Test("says what went wrong and where it was; the others only leave", arguments: 0..<3)
  func failing(rank: Int) throws {
    let failure = #expect(throws: RankFailure.self) {
      _ = try TrainedRun(yaml: yaml, ranks: 3) { trainer, mine in
        guard mine == rank else { return }
        var updates = 0
        trainer.replica.ended = { part in
          if part == .update { updates += 1 }
          if part == .loss && updates == 2 { throw Accident() }
        }
      }
    }
    #expect(failure?.cause is Accident)
    #expect(failure?.description == "step 3, compute: an accident")
  }
}
