import Kernels

/// What a loss is called, which targets it needs, and how its settings are read: what a new one adds
/// to `LossDefinition.all`.
struct LossDefinition: Sendable {
  let name: String
  let usesLabels: Bool
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
    _ name: String,
    _ read:
      @escaping @Sendable (SettingReader) ->
      @Sendable (
        _ outputs: Matrix, _ values: UnsafePointer<Float>, _ losses: UnsafeMutablePointer<Float>,
        _ gradient: Matrix, _ kernels: KernelSet
      ) -> Void
  ) -> LossDefinition {
    LossDefinition(name: name, usesLabels: false) { settings in
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
    /// -log softmax(outputs)[label].
    .ofLabels("softmax-cross-entropy") { _ in
      { outputs, labels, losses, gradient, kernels in
        kernels.softmaxCrossEntropy(outputs, labels: labels, losses: losses, into: gradient)
      }
    },
    /// The mean of (output - target)^2 over a sample's outputs.
    .ofValues("squared-error") { _ in
      { outputs, values, losses, gradient, kernels in
        kernels.squaredError(outputs, targets: values, losses: losses, into: gradient)
      }
    },
  ]
}
