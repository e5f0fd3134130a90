import Datasets
import Kernels
import NN

/// Whether a data set's targets are what a network's outputs can be held against by a loss.
struct TargetCheck {
  var outputs: Int
  var loss: Loss

  /// Reads all targets, if the loss does not take any.
  /// - Parameter name: what the data are called in the configuration.
  /// - Throws: `TrainingError`.
  func check(_ dataset: any Dataset, name: String) throws {
    switch dataset.targets {
    case .labels(let classes):
      guard classes <= outputs else {
        throw TrainingError(
          ExitStatus.badData,
          "\(name): label \(classes - 1) is out of range: the model has \(outputs) outputs, for the "
            + "labels 0 to \(outputs - 1)")
      }
    case .values(let width):
      guard width == outputs else {
        throw TrainingError(
          ExitStatus.badData,
          "\(name): \(width) target\(width == 1 ? "" : "s") a sample, and the model has \(outputs) "
            + "outputs: they must be as many")
      }
      try checkValues(dataset, width: width, name: name)
    }
  }

  private func checkValues(_ dataset: any Dataset, width: Int, name: String) throws {
    let range: (takes: (Float) -> Bool, text: String)
    switch loss.targetRange {
    case .any: return
    case .probabilities: range = ({ (0...1).contains($0) }, "targets from 0 to 1")
    case .signs: range = ({ abs($0) == 1 }, "the targets -1 and 1")
    }
    let kernels = KernelSet(.baseline)
    try withUnsafeTemporaryAllocation(of: Float.self, capacity: width) { values in
      for sample in 0..<dataset.count {
        dataset.copyTargets(of: sample, into: values.baseAddress!, kernels: kernels)
        guard let wrong = values.first(where: { !range.takes($0) }) else { continue }
        throw TrainingError(
          ExitStatus.badData,
          "\(name): sample \(sample) has the target \(wrong), and \(loss.name) takes \(range.text): "
            + "map the targets to these, or choose another loss")
      }
    }
  }
}
