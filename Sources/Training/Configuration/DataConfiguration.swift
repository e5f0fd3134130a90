import Datasets
import NN
import Yams

/// The `data` section: a training set and, unless one does without, a test set.
public struct DataConfiguration: Sendable {
  public enum Format: String, CaseIterable, Sendable {
    /// Pairs of IDX files.
    case idx
    /// Text files of LIBSVM and SVM-light, of which features that are zero take no memory.
    case libsvm
    /// Samples written in the configuration itself.
    case inline
    /// Random numbers around class centres.
    case synthetic
  }

  /// Where samples come from.
  public enum Part: Sendable {
    case idx(features: String, labels: String)
    case idxValues(features: String, targets: String)
    case libsvm(file: String)
    case inline(features: [[Float]], labels: [Int32])
    case inlineValues(features: [[Float]], targets: [[Float]])
    case synthetic(SyntheticDataset)

    /// Whether targets are class labels; nil if that is for the loss to say.
    var hasLabels: Bool? {
      switch self {
      case .idx, .inline, .synthetic: true
      case .idxValues, .inlineValues: false
      case .libsvm: nil
      }
    }
  }

  public var format: Format
  public var train: Part
  public var test: Part?
  public var normalization: Normalization
  /// Of files in LIBSVM's format: the index of the first feature.
  public var indexBase = 1
  /// Features of a sample; nil for as many as the largest index in any of the files says.
  public var featureCount: Int?
  /// What the loss wants of labels that may be one or the other.
  var labels = LibSVMDataset.Labels.classes

  /// Nil, and faults in the reader, if the section is not usable.
  init?(_ reader: ConfigurationReader) {
    guard let format = reader.requiredChoice("data.format", Format.self) else {
      reader.ignoreUnknownKeys(in: "data")
      return nil
    }
    self.format = format
    let read: (String, Int) -> Part?
    switch format {
    case .idx: read = { path, _ in Part.readIDX(reader, path) }
    case .libsvm:
      indexBase = reader.integer("data.index-base", default: 1, in: 0...1)
      featureCount = reader.optionalInteger("data.features", in: 1...Int(Int32.max))
      read = { path, _ in
        reader.requiredString("\(path).file", "the path of a file in LIBSVM's format")
          .map { .libsvm(file: $0) }
      }
    case .inline: read = { path, _ in Part.readInline(reader, path) }
    case .synthetic:
      let problem = SyntheticProblem(reader)
      read = { path, part in Part.readSynthetic(reader, path, problem, part: part) }
    }
    let train = read("data.train", 0)
    let hasTest = reader.has("data.test")
    test = hasTest ? read("data.test", 1) : nil
    normalization = reader.choice("data.normalize", default: .auto)
    guard let train, !hasTest || test != nil else { return nil }
    self.train = train
    if let test, test.hasLabels != train.hasLabels {
      reader.fault("data.test", "labels here and targets in data.train do not go together")
    }
  }

  /// Opens a part.
  /// - Parameter name: what messages call data without a file.
  /// - Throws: `DatasetError`.
  func open(_ part: Part, name: String) throws -> any Dataset {
    switch part {
    case .idx(let features, let labels):
      try IDXDataset(featuresPath: features, labelsPath: labels, normalization: normalization)
    case .idxValues(let features, let targets):
      try IDXDataset(featuresPath: features, targetsPath: targets, normalization: normalization)
    case .libsvm(let file):
      try LibSVMDataset(
        path: file, indexBase: indexBase, features: featureCount, labels: labels)
    case .inline(let features, let labels):
      try InlineDataset(name: name, features: features, labels: labels)
    case .inlineValues(let features, let targets):
      try InlineDataset(name: name, features: features, values: targets)
    case .synthetic(let dataset): dataset
    }
  }
}

extension DataConfiguration {
  /// Opens all parts. Sparse ones, whose features nobody has counted, get as many as the part with the
  /// most has.
  /// - Throws: `DatasetError`.
  func openAll() throws -> (training: any Dataset, test: (any Dataset)?) {
    let training = try open(train, name: "data.train")
    let test = try test.map { try open($0, name: "data.test") }
    guard let sparse = training as? LibSVMDataset else { return (training, test) }
    let sparseTest = test as? LibSVMDataset
    let count = max(sparse.featureCount, sparseTest?.featureCount ?? 0)
    guard count > 0 else {
      throw DatasetError(.malformed, "data.train", "no sample has a feature: set data.features")
    }
    return (sparse.widened(to: count), sparseTest?.widened(to: count))
  }
}

extension LibSVMDataset.Labels {
  /// What `loss` wants.
  init(_ loss: Loss) {
    self =
      if loss.usesLabels { .classes } else {
        switch loss.targetRange {
        case .any: .values
        case .probabilities: .probabilities
        case .signs: .signs
        }
      }
  }
}

/// What the parts of a synthetic data set have in common.
private struct SyntheticProblem {
  var features: [Int]
  var classes: Int
  var seed: UInt64

  init(_ reader: ConfigurationReader) {
    let largest = 1 << 24
    features = reader.value(
      "data.features", default: [784],
      "a number of features, or their extents such as [28, 28], \(largest) in all at most",
      parse: { node in
        let items = node.sequence.map(Array.init) ?? [node]
        let extents = items.compactMap { ConfigurationReader.integer($0, in: 1...largest) }
        guard extents.count == items.count, !extents.isEmpty else { return nil }
        let count = extents.reduce(1) { $0 <= largest ? $0 * $1 : $0 }
        return count <= largest ? extents : nil
      },
      text: { "\($0)" })
    classes = reader.integer("data.classes", default: 10, in: 1...1 << 24)
    seed = UInt64(reader.integer("data.seed", default: 1, in: 0...Int.max))
  }
}

extension DataConfiguration.Part {
  fileprivate static func readIDX(_ reader: ConfigurationReader, _ path: String) -> Self? {
    let file = "the path of an IDX file"
    let features = reader.requiredString("\(path).features", file)
    if reader.has("\(path).targets") {
      let targets = reader.requiredString("\(path).targets", file)
      guard let features, let targets else { return nil }
      return .idxValues(features: features, targets: targets)
    }
    let labels = reader.requiredString("\(path).labels", file)
    guard let features, let labels else { return nil }
    return .idx(features: features, labels: labels)
  }

  fileprivate static func readInline(_ reader: ConfigurationReader, _ path: String) -> Self? {
    let features = reader.requiredRows("\(path).features")
    if reader.has("\(path).labels") {
      let labels = reader.required(
        "\(path).labels", "a list of classes such as [0, 1, 1]",
        parse: { node -> [Int32]? in
          guard let items = node.sequence else { return nil }
          let labels = items.compactMap { ConfigurationReader.integer($0, in: 0...Int(Int32.max)) }
          return labels.count == items.count ? labels.map(Int32.init) : nil
        },
        text: { "\($0)" })
      guard let features, let labels else { return nil }
      return .inline(features: features, labels: labels)
    }
    let targets = reader.requiredRows("\(path).targets")
    guard let features, let targets else { return nil }
    return .inlineValues(features: features, targets: targets)
  }

  fileprivate static func readSynthetic(
    _ reader: ConfigurationReader, _ path: String, _ problem: SyntheticProblem, part: Int
  ) -> Self? {
    guard let samples = reader.requiredInteger("\(path).samples", in: 1...1 << 31) else {
      return nil
    }
    return .synthetic(
      SyntheticDataset(
        count: samples, featureExtents: problem.features, classes: problem.classes,
        seed: problem.seed, part: part))
  }
}

extension ConfigurationReader {
  /// A list of samples: numbers, or lists of numbers.
  fileprivate func requiredRows(_ path: String) -> [[Float]]? {
    required(
      path, "a list of numbers, or of lists of numbers, one for each sample",
      parse: { node -> [[Float]]? in
        guard let items = node.sequence else { return nil }
        let rows = items.compactMap { item -> [Float]? in
          let numbers = item.sequence.map(Array.init) ?? [item]
          let values = numbers.compactMap {
            ConfigurationReader.number($0, in: -.infinity ... .infinity).map { Float($0) }
          }
          return values.count == numbers.count && values.allSatisfy(\.isFinite) ? values : nil
        }
        return rows.count == items.count ? rows : nil
      },
      text: { rows in "\(rows)" })
  }
}
