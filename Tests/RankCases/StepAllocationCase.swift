import CAllocations
import Foundation
import MPI
import Training

/// What a step is made of, between them: every kind of data, layers with state, sums over the
/// batch and indices, optimizers that need norms, passes that accumulate, threads. 1,300 samples in
/// batches of 32 are an epoch of 41 steps, and a checked and evaluated end.
private let models: [(name: String, configuration: String)] = [
  (
    "convolutions",
    """
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
    """
  ),
  (
    "accumulation by threads",
    """
    data: {format: synthetic, features: [8, 8], classes: 5, train: {samples: 1300}, test: {samples: 40}}
    model:
      - {conv: {filters: 6, kernel: 3}}
      - gelu
      - {average-pool: 2}
      - {dense: 200}
      - layer-norm
      - {leaky-relu: 0.1}
      - {dense: 5}
    optimizer: {name: lamb, learning-rate: 0.01, clip-value: 1, l1: 0.001}
    training: {epochs: 1, batch-size: 32, shards: 8, accumulate: 2, threads: 2}
    """
  ),
  (
    "sparse data",
    """
    data: {format: libsvm, train: {file: \(topics)}, features: 5000}
    model: [{dense: 16}, tanh, {dense: 5}]
    optimizer: {name: lars, weight-decay: 0.001}
    training: {epochs: 1, batch-size: 12, shards: 4}
    """
  ),
  (
    "words",
    """
    data: {format: inline, train: {features: \(words), labels: \(labels)}}
    model: [{embedding: {words: 7, dimension: 4}}, layer-norm, {dense: 3}]
    optimizer: {name: rmsprop, momentum: 0.5, centered: true, learning-rate: 0.01}
    training: {epochs: 1, batch-size: 32, shards: 8}
    """
  ),
]

/// Examples/topics.train, of 500 samples.
private let topics = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  .appending(path: "../../Examples/topics.train").standardized.path
private let words = (0..<1300).map { [$0 % 7, $0 % 5, $0 % 3] }
private let labels = (0..<1300).map { $0 % 3 }

/// A step of training takes nothing from the heap, after the first ones, on any thread. Code that is
/// not optimized keeps closures and copies there.
func stepAllocationsCase(_ world: Communicator) throws {
  try expect(
    CAllocations_areCounted() && !_isDebugAssertConfiguration(), "nothing to count in this build")
  for (name, configuration) in models {
    var counts: [UInt] = []
    counts.reserveCapacity(100)
    let shared = "\ncheckpoint: {every-steps: 0}\nlog: {every-steps: 1000}"
    try trainInPassing(configuration + shared, world) { trainer in
      trainer.replica.ended = {
        if $0 == .update { counts.append(CAllocations_countOfAllThreads()) }
      }
    }
    try expect(counts.count >= 41, "\(name): \(counts.count) steps")
    let taken = counts[39] - counts[9]
    // Open MPI's own lists may still grow; what every other step takes is more.
    try expect(taken < 10, "\(name): 30 steps took \(taken) blocks")
  }
}
