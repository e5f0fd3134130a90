import NN
import Synchronization
import Testing

@testable import Training

private let classification = """
  data: {format: synthetic, features: 20, classes: 5, train: {samples: 300}, test: {samples: 90}}
  model: [{dense: 17}, relu, {dense: 5}]
  optimizer: {learning-rate: 0.05}
  training: {epochs: 2, batch-size: 64}
  """

@Test("parameters that have become subnormal are zero after the next step", arguments: [1, 2])
func subnormalParameters(ranks: Int) throws {
  // After each step.
  let counts = Mutex<[Int]>([])
  let run = try TrainedRun(yaml: classification, ranks: ranks) { trainer, rank in
    let parameters = trainer.network.parameters.tensors
    var steps = 0
    trainer.replica.ended = { part in
      guard part == .update else { return }
      steps += 1
      // So small that the gradients of the first layer are 0.
      if steps == 1 { parameters.update(repeating: Float.leastNormalMagnitude.nextDown) }
      if rank == 0 { counts.withLock { $0.append(parameters.count { $0.isSubnormal }) } }
    }
  }
  #expect(run.areReplicasEqual)
  let found = counts.withLock { $0 }
  #expect(found.count == 10)
  #expect(found[0] > 0)
  #expect(found.dropFirst().max() == 0)
}
