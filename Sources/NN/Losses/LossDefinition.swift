import Kernels

/// What a loss is called, which targets it needs, and how its settings are read: what a new one adds
/// to `LossDefinition.all`.
struct LossDefinition: Sendable {
  let name: String
  let usesLabels: Bool
  var targetRange = Loss.TargetRange.any
  let read: @Sendable (SettingReader) -> Loss.Evaluation

  /// A loss over one class label per sample.
  static func ofLabels(
    _ name: String,
    _ read:
      @escaping @Sendable (SettingReader) ->
      @Sendable (
        _ outputs: Matrix, _ labels: UnsafePointer<Int32>, _ losses: UnsafeMutablePointer<Float>,
        _ gradient: Matrix, _ kernels: KernelSet
      ) -> Void
  ) -> LossDefinition {
    LossDefinition(name: name, usesLabels: true) { settings in
      let evaluate = read(settings)
      return { outputs, targets, losses, gradient, kernels in
        guard case .labels(let labels) = targets else {
          preconditionFailure("\(name) was given values")
        }
        evaluate(outputs, labels, losses, gradient, kernels)
      }
    }
  }

  /// A loss over one value per output.
  static func ofValues(
    _ name: String, _ range: Loss.TargetRange = .any,
    _ read:
      @escaping @Sendable (SettingReader) ->
      @Sendable (
        _ outputs: Matrix, _ values: UnsafePointer<Float>, _ losses: UnsafeMutablePointer<Float>,
        _ gradient: Matrix, _ kernels: KernelSet
      ) -> Void
  ) -> LossDefinition {
    LossDefinition(name: name, usesLabels: false, targetRange: range) { settings in
      let evaluate = read(settings)
      return { outputs, targets, losses, gradient, kernels in
        guard case .values(let values) = targets else {
          preconditionFailure("\(name) was given labels")
        }
        evaluate(outputs, values, losses, gradient, kernels)
      }
    }
  }

  /// Every loss there is.
  static let all: [LossDefinition] = [
    /// -log softmax(outputs)[label], or with smoothing s (Szegedy et al., CVPR 2016) the cross-entropy
    /// with a share 1 - s at the label and s spread over all classes.
    .ofLabels("softmax-cross-entropy") {
      let smoothing = Float($0.number("label-smoothing", default: 0, in: 0...0.99))
      return { outputs, labels, losses, gradient, kernels in
        kernels.softmaxCrossEntropy(
          outputs, labels: labels, smoothing: smoothing, losses: losses, into: gradient)
      }
    },
    /// The mean over the other classes, and the label's with 0, of
    /// max(0, 1 + output - output[label]).
    .ofLabels("multi-class-hinge") { _ in
      { outputs, labels, losses, gradient, kernels in
        kernels.multiClassHinge(outputs, labels: labels, losses: losses, into: gradient)
      }
    },
    /// The mean of (output - target)^2 over a sample's outputs.
    .ofValues("squared-error") { _ in
      { outputs, values, losses, gradient, kernels in
        kernels.squaredError(outputs, targets: values, losses: losses, into: gradient)
      }
    },
    /// The mean of |output - target|.
    .ofValues("absolute-error") { _ in
      { outputs, values, losses, gradient, kernels in
        kernels.absoluteError(outputs, targets: values, losses: losses, into: gradient)
      }
    },
    /// Half the squared error up to `delta`, and from there on a line (Huber, 1964).
    .ofValues("huber") {
      let delta = Float($0.number("delta", default: 1, in: 1e-6...1e6))
      return { outputs, values, losses, gradient, kernels in
        kernels.huber(outputs, targets: values, delta: delta, losses: losses, into: gradient)
      }
    },
    /// The mean of -t log p - (1 - t) log(1 - p), p = sigmoid(output), for targets t from 0 to 1.
    .ofValues("binary-cross-entropy", .probabilities) { _ in
      { outputs, values, losses, gradient, kernels in
        kernels.binaryCrossEntropy(outputs, targets: values, losses: losses, into: gradient)
      }
    },
    /// The mean of max(0, 1 - t output), for targets t of -1 and 1.
    .ofValues("hinge", .signs) { _ in
      { outputs, values, losses, gradient, kernels in
        kernels.hinge(outputs, targets: values, losses: losses, into: gradient)
      }
    },
  ]
}
