/// What has to end with the same parameters, bit for bit, on any number of ranks. A layer, a data
/// source, an optimizer joins by a line here; tests see to it that all of them have.
public enum SameBits {
  /// Every model, on data of its own.
  public static let models = [
    Model("softmax", data: synthetic("20"), "[{dense: 5}]"),
    Model("perceptron", data: synthetic("20"), "[{dense: 17}, relu, {dense: 9}, tanh, {dense: 5}]"),
    Model(
      "convolution", data: synthetic("[6, 6]"),
      "[{conv: {filters: 3, kernel: 3}}, leaky-relu, {max-pool: 2}, {dropout: 0.3}, flatten, {dense: 5}]"
    ),
    Model(
      "batch-norm", data: synthetic("[6, 6, 2]"),
      """
      [batch-norm, {conv: {filters: 4, kernel: 3, padding: same}}, relu, {average-pool: 2},
       {residual: [{conv: {filters: 4, kernel: 1}}, batch-norm, gelu]}, global-average-pool,
       {dense: 5}]
      """),
    Model("words", data: words, "[{embedding: {words: 7, dimension: 4}}, layer-norm, {dense: 3}]"),
    Model(
      "values", data: "{format: inline, train: {features: \(numbers), targets: \(numbers)}}",
      "[{dense: 6}, sigmoid, {dense: 1}]", loss: "squared-error"),
    Model(
      "bytes",
      data: "{format: idx, train: {features: FOLDER/x.idx, labels: FOLDER/y.idx}}",
      "[flatten, {dense: 4}]",
      files: [
        "x.idx": [0, 0, 8, 3, 0, 0, 0, 29, 0, 0, 0, 3, 0, 0, 0, 2]
          + (0..<29 * 6).map { UInt8($0 * 89 % 251) },
        "y.idx": [0, 0, 8, 1, 0, 0, 0, 29] + (0..<29).map { UInt8($0 * 7 % 4) },
      ]),
    Model(
      "sparse", data: "{format: libsvm, train: {file: FOLDER/z.svm}}",
      "[{dense: 6}, relu, {dense: 3}]",
      files: [
        "z.svm": (0..<29).map { "\($0 * 7 % 3) \(1 + $0 % 5):0.\($0) \(8 + $0 % 4):-1.5\n" }
          .joined().utf8.map { $0 }
      ]),
  ]

  /// Every optimizer, with all of its states in use.
  public static let optimizers = [
    "{name: sgd, learning-rate: 0.05, momentum: 0.9, weight-decay: 0.001, clip-norm: 1}",
    "{name: adam, learning-rate: 0.01, weight-decay: 0.001}",
    "{name: adamw, learning-rate: 0.01, weight-decay: 0.1, l1: 0.0001}",
    "{name: adagrad, learning-rate: 0.05, clip-value: 0.5}",
    "{name: rmsprop, learning-rate: 0.01, momentum: 0.5, centered: true}",
    "{name: lars, learning-rate: 0.5, momentum: 0.9, weight-decay: 0.001}",
    "{name: lamb, learning-rate: 0.01, weight-decay: 0.01, exclude-vectors: true}",
  ]

  /// One subtree each, and runs that cut through the tree.
  public static let ranks = [1, 2, 3, 4, 5, 7, 8]

  public struct Model: Sendable, CustomStringConvertible {
    public var description: String
    public var layers: String
    private var data: String
    private var loss: String
    private var files: [String: [UInt8]]

    fileprivate init(
      _ name: String, data: String, _ layers: String, loss: String = "softmax-cross-entropy",
      files: [String: [UInt8]] = [:]
    ) {
      description = name
      self.data = data
      self.layers = layers
      self.loss = loss
      self.files = files
    }

    /// A configuration of a few steps, the last of each epoch with fewer samples than shards. Files
    /// that it names are put into `folder`.
    public func configuration(optimizer: String, in folder: TemporaryDirectory) throws -> String {
      for (name, bytes) in files { _ = try folder.file(name, bytes) }
      let layers = layers.split(separator: "\n").joined(separator: " ")
      return """
        data: \(data.split(separator: "FOLDER").joined(separator: folder.path))
        model: \(layers)
        loss: \(loss)
        optimizer: \(optimizer)
        training: {epochs: 2, batch-size: 13, shards: 8}
        log: {every-steps: 1}
        output: run
        """
    }
  }

  // 29 samples: batches of 13, 13 and 3.

  private static func synthetic(_ features: String) -> String {
    "{format: synthetic, features: \(features), classes: 5, train: {samples: 29}, test: {samples: 9}}"
  }

  private static let words: String = {
    let samples = (0..<29).map { "[\($0 % 7), \($0 * $0 % 7), \($0 / 7)]" }
    let labels = (0..<29).map { "\($0 * 5 % 3)" }
    return "{format: inline, train: {features: [\(samples.joined(separator: ", "))], "
      + "labels: [\(labels.joined(separator: ", "))]}}"
  }()

  private static let numbers =
    "[" + (0..<29).map { "\(Double($0 * 11 % 29) / 8 - 2)" }.joined(separator: ", ") + "]"
}
