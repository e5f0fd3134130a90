import NN
import Training

/// A state of which every value is a function of the step.
struct State {
  let groups: [TensorGroup]

  /// - Parameter count: of all floats, half parameters and half an optimizer's state.
  init(count: Int) {
    var layout = SlabLayout()
    layout.append(name: "weight", shape: Shape(count / 2))
    groups = [TensorGroup(Slab(layout)), TensorGroup(prefix: "optimizer.velocity.", Slab(layout))]
  }

  func fill(step: Int) {
    for (number, group) in groups.enumerated() {
      var bits = UInt32(truncatingIfNeeded: step &* 2 + number)
      for i in group.slab.tensors.indices {
        // Numerical Recipes' generator; the exponent is kept away from NaN.
        bits = bits &* 1_664_525 &+ 1_013_904_223
        group.slab.tensors[i] = Float(bitPattern: bits & 0x3FFF_FFFF)
      }
    }
  }

  static func record(step: Int) -> CheckpointRecord {
    CheckpointRecord(
      step: step, epoch: 0, positionInEpoch: step, seed: 1, shards: 8, configuration: "",
      preprocessing: "", kernels: "", metrics: "", version: "", commit: "", ranks: 1)
  }

  /// Throws unless a checkpoint that has passed as good is what was saved at `step`.
  static func require(_ checkpoint: Checkpoint, isOf step: Int) throws {
    let expected = State(count: checkpoint.elementCount)
    let found = State(count: checkpoint.elementCount)
    expected.fill(step: step)
    try checkpoint.restore(found.groups, path: "step \(step)")
    let isSame = zip(expected.groups, found.groups).allSatisfy { a, b in
      a.slab.tensors.elementsEqual(b.slab.tensors)
    }
    guard checkpoint.record == record(step: step), isSame else {
      throw CaseFailure(description: "the checkpoint of step \(step) is not what was saved")
    }
  }
}
