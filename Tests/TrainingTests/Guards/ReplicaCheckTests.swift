import Testing

@testable import Training

private let classification = """
  data: {format: synthetic, features: 20, classes: 5, train: {samples: 320}}
  model: [{dense: 17}, batch-norm, relu, {dense: 5}]
  training: {epochs: 3, batch-size: 64, check-replicas: 2}
  """

@Suite("copies of the model that differ")
struct ReplicaCheckTests {
  @Test(
    "a flipped bit is noticed at the next check, and rank, host and tensor are named",
    arguments: 3...5)
  func flipped(ranks: Int) throws {
    // Behind the update of step 3, checked after step 4: no gradient brings the bit back.
    let failure = try TrainedRun.failure(
      yaml: classification, settings: ["optimizer.learning-rate=0"], ranks: ranks,
      prepare: StepFaults.flipBit(ofStep: 3, onRank: 1, element: 7))
    #expect(failure.exitCode == ExitStatus.diverged)
    #expect(
      failure.description.hasPrefix(
        "after step 4 rank 1 on host1 differs from the other \(ranks - 1) ranks in 0.dense.weight: "
      ),
      "\(failure.description)")
  }

  @Test("of two ranks both are named, with a way to find out")
  func two() throws {
    let failure = try TrainedRun.failure(
      yaml: classification, settings: ["optimizer.learning-rate=0"], ranks: 2,
      prepare: StepFaults.flipBit(ofStep: 1, onRank: 1, element: 0, bit: 31))
    #expect(
      failure.description.hasPrefix(
        "after step 2 these differ in 0.dense.weight: rank 0 on host0; rank 1 on host1. There is no "
          + "majority: "), "\(failure.description)")
    #expect(failure.description.contains("training.max-steps=2"))
  }

  @Test(
    "copies are compared every few steps, at an epoch's end, and at the run's end",
    arguments: [
      (["training.check-replicas=1"], 1), (["training.check-replicas=2"], 2),
      (["training.check-replicas=1000"], 5), (["training.check-replicas=0"], 15),
    ] as [([String], Int)])
  func schedule(settings: [String], step: Int) throws {
    let failure = try TrainedRun.failure(
      yaml: classification, settings: settings + ["optimizer.learning-rate=0"], ranks: 3,
      prepare: StepFaults.flipBit(ofStep: 1, onRank: 2, element: 3))
    #expect(
      failure.description.hasPrefix("after step \(step) rank 2 on host2 differs"),
      "\(failure.description)")
  }

  @Test("what layers remember is compared too")
  func state() throws {
    let failure = try TrainedRun.failure(yaml: classification, ranks: 3) { trainer, rank in
      guard rank == 0 else { return }
      let state = trainer.network.state
      state.base[0] = state.base[0].nextUp + 1
    }
    #expect(
      failure.description.hasPrefix(
        "after step 2 rank 0 on host0 differs from the other 2 ranks in 1.batch-norm.running-mean"),
      "\(failure.description)")
  }

  @Test("most is more than half: else all parties are named")
  func parties() {
    let hosts = ["a", "b", "c", "d"]
    func text(_ hashes: [UInt8], _ tensors: [String] = []) -> String {
      ReplicaDifference(hashes.map { [$0] }).text(afterStep: 9, hosts: hosts, tensors: tensors)
    }
    #expect(ReplicaDifference([[1], [1]]).isNone && !ReplicaDifference([[1], [2]]).isNone)
    #expect(
      text([1, 2, 1, 1], ["t", "u", "v"]).hasPrefix(
        "after step 9 rank 1 on b differs from the other 3 ranks in t and 2 more: "))
    #expect(
      text([1, 2, 1, 2]).hasPrefix(
        "after step 9 these differ in the model: rank 0 on a, rank 2 on c; rank 1 on b, rank 3 on d."
      ))
    #expect(
      text([1, 2, 3, 3]).contains("rank 2 on c, rank 3 on d; rank 0 on a; rank 1 on b."))
  }
}
