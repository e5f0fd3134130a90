import Kernels

/// Samples in the text format of LIBSVM (Chang & Lin) and SVM-light (Joachims), a line each: the
/// label, and the features that are not zero in ascending order.
///
///     +1 3:0.5 12:1    # a comment
///     -1 qid:4 1:0.25
///
/// `qid` and comments are skipped, and so are lines without a sample. A file is read once, into
/// memory, when it is opened.
public struct LibSVMDataset: Dataset {
  /// What labels are to be.
  public enum Labels: Equatable, Sendable {
    /// Classes 0, 1, 2, ...; where a label is -1, all are -1 or +1, and become 0 and 1.
    case classes
    /// Numbers as they are.
    case values
    /// Numbers from 0 to 1; where a label is -1, all are -1 or +1, and -1 becomes 0.
    case probabilities
    /// -1 and 1; where a label is 0, all are 0 or 1, and 0 becomes -1.
    case signs
  }

  public let targets: TargetKind
  public let featureCount: Int
  public var featureExtents: [Int] { [featureCount] }
  public var sparseFeatures: SparseFeatures? { features }
  private let features: SparseFeatures
  private let labels: [Int32]
  private let values: [Float]

  /// - Parameters:
  ///   - indexBase: the index of the first feature, 0 or 1.
  ///   - features: how many a sample has; nil for as many as the largest index says.
  /// - Throws: `DatasetError` with the file and the line.
  public init(path: String, indexBase: Int, features count: Int?, labels kind: Labels) throws {
    precondition(indexBase == 0 || indexBase == 1)
    let file = try FileBytes(path: path)
    var text = LibSVMText(file.bytes, path: path, indexBase: indexBase, features: count)
    try text.read()
    guard text.features.count > 0 else {
      throw DatasetError(.malformed, path, "there are no samples in it")
    }
    features = text.features
    featureCount = count ?? features.columnCount
    if kind == .classes {
      labels = try text.classes()
      values = []
      targets = .labels(classes: Int(labels.max()!) + 1)
    } else {
      labels = []
      values = try text.values(kind)
      targets = .values(width: 1)
    }
  }

  private init(_ other: LibSVMDataset, featureCount: Int) {
    (targets, features) = (other.targets, other.features)
    (labels, values) = (other.labels, other.values)
    self.featureCount = featureCount
  }

  /// The same samples with more features, all zero.
  public func widened(to count: Int) -> LibSVMDataset {
    precondition(count >= featureCount)
    return LibSVMDataset(self, featureCount: count)
  }

  public var count: Int { features.count }

  public func copyFeatures(
    of sample: Int, into features: UnsafeMutablePointer<Float>, kernels: KernelSet
  ) {
    features.update(repeating: 0, count: featureCount)
    for element in self.features.elements(of: sample) {
      features[Int(self.features.columns[element])] = self.features.values[element]
    }
  }

  public func label(of sample: Int) -> Int32 { labels[sample] }

  public func copyTargets(
    of sample: Int, into values: UnsafeMutablePointer<Float>, kernels: KernelSet
  ) {
    values[0] = self.values[sample]
  }

  public func withContent(_ body: (UnsafeRawBufferPointer) -> Void) {
    features.rowStarts.withUnsafeBytes(body)
    features.columns.withUnsafeBytes(body)
    features.values.withUnsafeBytes(body)
    labels.withUnsafeBytes(body)
    values.withUnsafeBytes(body)
  }
}
