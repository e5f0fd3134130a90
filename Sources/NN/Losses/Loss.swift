import Kernels

/// What a network's outputs are held against: one loss per sample, and its gradient.
public enum Loss: String, CaseIterable, Sendable {
  /// -log softmax(outputs)[label], for one label per sample.
  case softmaxCrossEntropy = "softmax-cross-entropy"
  /// The mean of (output - target)^2 over a sample's outputs.
  case squaredError = "squared-error"

  /// Whether targets are class labels; else they are one value per output.
  public var usesLabels: Bool { self == .softmaxCrossEntropy }

  /// Writes each sample's loss, and the gradient of their sum by the outputs.
  /// - Precondition: `targets` are of the kind that `usesLabels` says, one per row.
  public func evaluate(
    _ outputs: Matrix, _ targets: Targets, losses: UnsafeMutablePointer<Float>,
    gradient: Matrix, kernels: KernelSet
  ) {
    switch (self, targets) {
    case (.softmaxCrossEntropy, .labels(let labels)):
      kernels.softmaxCrossEntropy(outputs, labels: labels, losses: losses, into: gradient)
    case (.squaredError, .values(let values)):
      kernels.squaredError(outputs, targets: values, losses: losses, into: gradient)
    case (.softmaxCrossEntropy, .values), (.squaredError, .labels):
      preconditionFailure("\(rawValue) was given targets of the other kind")
    }
  }
}

/// A batch's targets, one entry per row.
public enum Targets {
  /// A class each.
  case labels(UnsafePointer<Int32>)
  /// As many values each as the network has outputs, row-major.
  case values(UnsafePointer<Float>)
}

/// Rows of `outputs` whose largest element is at the label; the first one counts among equals.
public func countCorrect(_ outputs: Matrix, labels: UnsafePointer<Int32>) -> Int {
  var correct = 0
  for i in 0..<outputs.rows {
    let row = outputs.row(i)
    var best = 0
    for j in 0..<outputs.columns where row[j] > row[best] { best = j }
    if best == Int(labels[i]) { correct += 1 }
  }
  return correct
}
