import CAllocations
import MPI
import Training

/// 1,300 samples in batches of 32: an epoch of 41 steps, and a checked and evaluated end.
private let convolutional = """
  data: {format: synthetic, features: [8, 8], classes: 5, train: {samples: 1300}, test: {samples: 40}}
  model:
    - {conv: {filters: 6, kernel: 3, padding: same}}
    - batch-norm
    - relu
    - {max-pool: 2}
    - {residual: {layers: [{conv: {filters: 6, kernel: 3, padding: same}}, relu]}}
    - {dropout: 0.2}
    - {dense: 5}
  optimizer: {name: adam, learning-rate: 0.01, clip-norm: 1}
  training: {epochs: 1, batch-size: 32, shards: 8}
  checkpoint: {every-steps: 0}
  log: {every-steps: 1000}
  """

/// A step of training takes nothing from the heap, after the first ones, on any thread. Code that is
/// not optimized keeps closures and copies there.
func stepAllocationsCase(_ world: Communicator) throws {
  try expect(
    CAllocations_areCounted() && !_isDebugAssertConfiguration(), "nothing to count in this build")
  var counts: [UInt] = []
  counts.reserveCapacity(100)
  try trainInPassing(convolutional, world) { trainer in
    trainer.replica.ended = {
      if $0 == .update { counts.append(CAllocations_countOfAllThreads()) }
    }
  }
  try expect(counts.count == 41, "\(counts.count) steps")
  let taken = counts[39] - counts[9]
  // Open MPI's own lists may still grow; what every other step takes is more.
  try expect(taken < 10, "30 steps took \(taken) blocks")
}
