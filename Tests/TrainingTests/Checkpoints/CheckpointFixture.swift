@testable import NN
@testable import Training

/// Checkpoints of a small model: parameters, what a layer remembers, and an optimizer's state.
struct CheckpointFixture {
  let groups: [TensorGroup]

  /// - Parameter seed: makes all values differ.
  init(seed: Int = 0, extent: Int = 3) {
    var layout = SlabLayout()
    layout.append(name: "0.dense.weight", shape: Shape(extent, 5))
    layout.append(name: "odd \"name\"\\/é", shape: Shape(2))
    var state = SlabLayout()
    state.append(name: "1.batch-norm.mean", shape: Shape(extent))
    groups = [
      TensorGroup(Slab(layout)), TensorGroup(Slab(state)),
      TensorGroup(prefix: "optimizer.velocity.", Slab(layout)),
    ]
    fill(seed: seed)
  }

  /// Values that differ for every seed, group and element; padding is left alone.
  func fill(seed: Int) {
    for (number, group) in groups.enumerated() {
      for tensor in group.slab.layout.tensors {
        let values = group.slab.elements(of: tensor)
        for i in values.indices {
          values[i] = Float(1000 * seed + 100 * number + tensor.offset + i) + 0.1
        }
      }
    }
  }

  /// Of every tensor, in order.
  var values: [[Float]] {
    groups.flatMap { group in group.slab.layout.tensors.map { Array(group.slab.elements(of: $0)) } }
  }

  func record(step: Int) -> CheckpointRecord {
    CheckpointRecord(
      step: step, epoch: step / 100, positionInEpoch: step % 100, seed: UInt64.max, shards: 8,
      configuration: "model: [{dense: 3}]\n# \"quoted\" é \u{1F41F}\n", preprocessing: "{}",
      kernels: "avx2", metrics: #"{"loss-sum":0.30000000000000004}"#, version: "1.0",
      commit: "0123abc", ranks: 4)
  }

  func checkpoint(step: Int) -> Checkpoint { Checkpoint(record(step: step), of: groups) }

  /// The bytes of a file.
  func bytes(step: Int) throws -> [UInt8] {
    let checkpoint = checkpoint(step: step)
    return try checkpoint.header() + Array(checkpoint.image.bytes)
  }
}
