import Kernels

/// Features and targets from a pair of IDX files.
public struct IDXDataset: Dataset {
  public let featureExtents: [Int]
  public let targets: TargetKind
  public let featureScale: Float
  private let features: IDX
  private let answers: IDX

  /// - Parameter labelsPath: one integer per sample.
  /// - Throws: `DatasetError` if a file is missing or malformed, the counts differ, or a label is
  ///   not a natural number.
  public init(featuresPath: String, labelsPath: String, normalization: Normalization) throws {
    try self.init(featuresPath, labelsPath, normalization, areLabels: true)
  }

  /// - Parameter targetsPath: one or more numbers per sample.
  /// - Throws: `DatasetError` if a file is missing or malformed or the counts differ.
  public init(featuresPath: String, targetsPath: String, normalization: Normalization) throws {
    try self.init(featuresPath, targetsPath, normalization, areLabels: false)
  }

  private init(
    _ featuresPath: String, _ answersPath: String, _ normalization: Normalization,
    areLabels: Bool
  ) throws {
    features = try IDX(path: featuresPath)
    answers = try IDX(path: answersPath)
    guard features.count == answers.count else {
      throw DatasetError(
        .malformed, answersPath,
        "\(answers.count) \(areLabels ? "labels" : "targets") for the \(features.count) samples of "
          + "\(featuresPath): the two files do not belong together")
    }
    let extents = Array(features.extents.dropFirst())
    featureExtents = extents.isEmpty ? [1] : extents
    featureScale = normalization == .auto ? 1 / (features.maximum ?? 1) : 1
    guard areLabels else {
      targets = .values(width: answers.width)
      return
    }
    guard answers.extents.count == 1 else {
      throw DatasetError(
        .malformed, answersPath,
        "labels have 1 dimension, one number per sample: found \(answers.extents.count) dimensions")
    }
    var largest: Int32 = 0
    for sample in 0..<answers.count {
      guard let label = answers.integer(sample: sample), label >= 0 else {
        throw DatasetError(
          .malformed, answersPath, "the label of sample \(sample) is not a natural number")
      }
      largest = max(largest, label)
    }
    targets = .labels(classes: Int(largest) + 1)
  }

  public var count: Int { features.count }

  public func prefetchFeatures(of sample: Int) { prefetch(features.bytes(of: sample)) }

  public func copyFeatures(
    of sample: Int, into features: UnsafeMutablePointer<Float>, kernels: KernelSet
  ) {
    self.features.copy(sample: sample, factor: featureScale, into: features, kernels: kernels)
  }

  public func label(of sample: Int) -> Int32 { answers.integer(sample: sample)! }

  public func copyTargets(
    of sample: Int, into values: UnsafeMutablePointer<Float>, kernels: KernelSet
  ) {
    answers.copy(sample: sample, factor: 1, into: values, kernels: kernels)
  }

  public func withContent(_ body: (UnsafeRawBufferPointer) -> Void) {
    body(features.content)
    body(answers.content)
  }
}
