import Kernels

/// A classification problem made of random numbers, for where there is no data: every class has a
/// centre, and a sample is its class's centre plus noise. Sample i is a function of the seed and i.
public struct SyntheticDataset: Dataset {
  public let count: Int
  public let featureExtents: [Int]
  public let targets: TargetKind
  private let classes: Int
  private let centres: RandomStream
  private let noise: RandomStream
  /// Seed, part and number of classes.
  private let origin: [UInt64]

  /// How far noise reaches, in units of the distance between the centres' extremes.
  private static let noiseScale: Float = 2

  /// - Parameters:
  ///   - part: which of the disjoint sets of samples around the same centres: training is 0, test
  ///     1.
  public init(count: Int, featureExtents: [Int], classes: Int, seed: UInt64, part: Int) {
    precondition(count > 0 && classes > 0 && !featureExtents.isEmpty)
    self.count = count
    self.featureExtents = featureExtents
    self.classes = classes
    targets = .labels(classes: classes)
    centres = RandomStream(seed: seed, purpose: .syntheticData, instance: 0)
    noise = RandomStream(seed: seed, purpose: .syntheticData, instance: 1 + part)
    origin = [seed, UInt64(part), UInt64(classes)]
  }

  public func copyFeatures(
    of sample: Int, into features: UnsafeMutablePointer<Float>, kernels: KernelSet
  ) {
    let blocks = (featureCount + 3) / 4
    let centre = UInt64(label(of: sample)) * UInt64(blocks)
    let start = UInt64(sample) * UInt64(blocks)
    for block in 0..<blocks {
      let deviation = noise.uniforms(start + UInt64(block)) - 0.5
      let values =
        centres.uniforms(centre + UInt64(block)) + deviation * SyntheticDataset.noiseScale
      for lane in 0..<min(4, featureCount - 4 * block) {
        features[4 * block + lane] = values[lane]
      }
    }
  }

  public func label(of sample: Int) -> Int32 { Int32(sample % classes) }

  public func copyTargets(
    of sample: Int, into values: UnsafeMutablePointer<Float>, kernels: KernelSet
  ) {
    preconditionFailure("synthetic samples have labels")
  }

  /// What every sample is a function of.
  public func withContent(_ body: (UnsafeRawBufferPointer) -> Void) {
    origin.withUnsafeBytes(body)
  }
}
