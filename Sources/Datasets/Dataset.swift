import Kernels

/// Samples that can be fetched in any order: features, and a target each.
///
/// Values, not files: opening one has checked all of it that can be checked without reading it all.
public protocol Dataset: Sendable {
  /// Samples.
  var count: Int { get }
  /// The extents of one sample's features.
  var featureExtents: [Int] { get }
  /// What a target is.
  var targets: TargetKind { get }
  /// The features of all samples, for a data set that stores only those that are not zero. None
  /// unless implemented.
  var sparseFeatures: SparseFeatures? { get }
  /// What stored numbers are multiplied by to become features; 1 unless implemented.
  var featureScale: Float { get }

  /// Has the features of `sample` fetched into the cache, since they will soon be copied. Nothing
  /// happens unless implemented.
  func prefetchFeatures(of sample: Int)

  /// Copies the features of `sample`.
  func copyFeatures(
    of sample: Int, into features: UnsafeMutablePointer<Float>, kernels: KernelSet)

  /// The class of `sample`.
  /// - Precondition: targets are labels.
  func label(of sample: Int) -> Int32

  /// Copies the target values of `sample`.
  /// - Precondition: targets are values.
  func copyTargets(
    of sample: Int, into values: UnsafeMutablePointer<Float>, kernels: KernelSet)

  /// Hands out the content in pieces: data sets that are equal have equal pieces in the same order.
  /// No bytes are copied for it, and none are read that `body` does not read.
  func withContent(_ body: (UnsafeRawBufferPointer) -> Void)
}

/// What is to be predicted.
public enum TargetKind: Equatable, Sendable {
  /// A class in 0..<classes; `classes` is one more than the largest label there is.
  case labels(classes: Int)
  /// This many numbers.
  case values(width: Int)
}

extension Dataset {
  public var sparseFeatures: SparseFeatures? { nil }
  public var featureScale: Float { 1 }
  public func prefetchFeatures(of sample: Int) {}

  /// Numbers in one sample's features.
  public var featureCount: Int { featureExtents.reduce(1, *) }

  /// Bytes that the features of `rows` samples take in a batch, at most.
  public func batchBytes(ofRows rows: Int) -> Double {
    let float = Double(MemoryLayout<Float>.stride)
    guard let sparse = sparseFeatures else { return float * Double(featureCount) * Double(rows) }
    let element = float + Double(MemoryLayout<Int32>.stride)
    return element * Double(sparse.mostElements(ofRows: rows))
      + Double(MemoryLayout<Int>.stride) * Double(rows + 1)
  }

  /// Bytes that a rank keeps in memory of its own; what is mapped, ranks share.
  public var residentBytes: Double { Double(sparseFeatures?.bytes ?? 0) }
}

/// How features become network inputs.
public enum Normalization: String, CaseIterable, Sendable {
  /// Bytes are scaled to 0...1, other numbers stay as they are.
  case auto
  /// Every number stays as it is.
  case none
}
