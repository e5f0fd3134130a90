import Kernels

/// Samples written out in the configuration: for examples and tests.
public struct InlineDataset: Dataset {
  public let targets: TargetKind
  private let features: [[Float]]
  private let labels: [Int32]
  private let values: [[Float]]

  /// - Parameter name: what messages call it.
  /// - Throws: `DatasetError` if rows differ in length, counts differ, or there are no samples.
  public init(name: String, features: [[Float]], labels: [Int32]) throws {
    try InlineDataset.check(name, features, answers: labels.count)
    if let wrong = labels.firstIndex(where: { $0 < 0 }) {
      throw DatasetError(.malformed, name, "the label of sample \(wrong) is not a natural number")
    }
    self.features = features
    self.labels = labels
    values = []
    targets = .labels(classes: Int(labels.max()!) + 1)
  }

  /// - Parameter name: what messages call it.
  /// - Throws: `DatasetError` if rows differ in length, counts differ, or there are no samples.
  public init(name: String, features: [[Float]], values: [[Float]]) throws {
    try InlineDataset.check(name, features, answers: values.count)
    try InlineDataset.checkWidths(name, values)
    self.features = features
    self.values = values
    labels = []
    targets = .values(width: values[0].count)
  }

  private static func check(_ name: String, _ features: [[Float]], answers: Int) throws {
    guard !features.isEmpty else {
      throw DatasetError(.malformed, name, "there are no samples in it")
    }
    guard features.count == answers else {
      throw DatasetError(
        .malformed, name,
        "\(answers) target\(answers == 1 ? "" : "s") for \(features.count) "
          + "sample\(features.count == 1 ? "" : "s") of features")
    }
    try checkWidths(name, features)
  }

  private static func checkWidths(_ name: String, _ rows: [[Float]]) throws {
    if let empty = rows.firstIndex(where: \.isEmpty) {
      throw DatasetError(.malformed, name, "sample \(empty) has no numbers")
    }
    if let odd = rows.firstIndex(where: { $0.count != rows[0].count }) {
      throw DatasetError(
        .malformed, name,
        "sample \(odd) has \(rows[odd].count) numbers, sample 0 has \(rows[0].count)")
    }
  }

  public var count: Int { features.count }
  public var featureExtents: [Int] { [features[0].count] }

  public func copyFeatures(
    of sample: Int, into features: UnsafeMutablePointer<Float>, kernels: KernelSet
  ) {
    self.features[sample].withUnsafeBufferPointer {
      features.update(from: $0.baseAddress!, count: $0.count)
    }
  }

  public func label(of sample: Int) -> Int32 { labels[sample] }

  public func copyTargets(
    of sample: Int, into values: UnsafeMutablePointer<Float>, kernels: KernelSet
  ) {
    self.values[sample].withUnsafeBufferPointer {
      values.update(from: $0.baseAddress!, count: $0.count)
    }
  }

  public func withContent(_ body: (UnsafeRawBufferPointer) -> Void) {
    for row in features + values { row.withUnsafeBytes(body) }
    labels.withUnsafeBytes(body)
  }
}
