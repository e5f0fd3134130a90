import Collective
import Datasets
import Foundation
import NN
import Yams

/// What a run is asked to do: validated, with every default filled in.
public struct TrainingConfiguration: Sendable {
  public var data: DataConfiguration
  public var model: [LayerSpecification]
  public var loss: Loss
  public var optimizer: OptimizerConfiguration

  /// Passes over the training set.
  public var epochs: Int
  /// Steps at most, over all epochs.
  public var maximumSteps: Int?
  /// Stop after an epoch whose mean training loss is at most this.
  public var targetLoss: Double?
  /// Stop after an epoch whose test accuracy, from 0 to 1, is at least this.
  public var targetAccuracy: Double?
  /// Stop after the step during which this much time has passed since the run began.
  public var timeLimit: TimeSpan?
  /// Stop after so many epochs in a row without improvement.
  public var patience: Int?
  /// The loss has improved if it is lower by more than this.
  public var minimumImprovement: Double
  /// What becomes of a step whose numbers are not finite.
  public var divergence: DivergencePolicy
  /// Steps between two comparisons of the ranks' parameters within an epoch; 0: only at the end.
  public var checkInterval: Int
  /// Deviations above the mean of the recent losses from which on a loss is worth a warning; 0: none
  /// is.
  public var spikeDeviations: Double
  /// Samples per step, on all ranks together.
  public var batchSize: Int
  /// Slices of a batch whose gradients are added along a fixed tree; a power of two.
  public var shards: Int
  /// Passes in which a rank works through its part of a batch; a power of two.
  public var passes: Int
  /// Threads of each rank that share its arithmetic; they do not show in the result.
  public var threads: Int
  public var seed: UInt64
  /// Whether sums follow the shards, whatever the number of ranks.
  public var isReproducible: Bool
  /// Whether samples are visited in a new order in every epoch.
  public var shuffles: Bool
  /// Without progress, after which a rank is missed; twice that ends the job.
  public var stallSeconds: Double

  /// Nil: chosen by size.
  public var algorithm: AllreduceMethod?
  /// What the choice goes by.
  public var tuning: TuningConfiguration
  /// Gradients are reduced in buckets of at least this many bytes.
  public var bucketBytes: Int

  public var checkpoint: CheckpointConfiguration
  /// Steps between two `step` events.
  public var logInterval: Int
  /// The run directory.
  public var output: String

  /// Every value and where it comes from, in YAML.
  public private(set) var annotatedText: String
  /// Every value, in YAML: reads back as the same configuration.
  public private(set) var text: String
  /// Every value, by key path.
  let values: [ConfigurationReader.Entry]

  /// Reads a configuration file.
  /// - Parameters:
  ///   - settings: `key.path=value` each, stronger than the environment and the file.
  ///   - environment: its `LOCKSTEP_*` variables are stronger than the file.
  /// - Throws: `ConfigurationError` with every fault, `UnreadableConfiguration` if there is no
  ///   file.
  public init(
    file path: String, settings: [String] = [], environment: [String: String] = [:]
  ) throws {
    let text: String
    do {
      text = try String(contentsOfFile: path, encoding: .utf8)
    } catch {
      throw UnreadableConfiguration(path: path)
    }
    try self.init(yaml: text, name: path, settings: settings, environment: environment)
  }

  /// Reads a configuration text.
  /// - Parameter name: what messages call it.
  public init(
    yaml: String, name: String, settings: [String] = [], environment: [String: String] = [:]
  ) throws {
    var (tree, faults) = (try TrainingConfiguration.tree(yaml: yaml, name: name), [Fault]())
    for setting in settings {
      if let fault = TrainingConfiguration.apply(setting, to: &tree) { faults.append(fault) }
    }
    let reader = ConfigurationReader(tree, environment: environment, faults: faults)
    let large = 1 << 31

    let data = DataConfiguration(reader)
    model = LayerSpecification.list(reader, "model")
    loss = Loss.read(reader, "loss", default: .softmaxCrossEntropy)
    optimizer = OptimizerConfiguration(reader)

    epochs = reader.integer("training.epochs", default: 1, in: 1...large)
    maximumSteps = reader.optionalInteger("training.max-steps", in: 1...large)
    targetLoss = reader.optionalNumber("training.target-loss", in: -.infinity ... .infinity)
    targetAccuracy = reader.optionalNumber("training.target-accuracy", in: 0...1)
    timeLimit = reader.optionalTimeSpan("training.time-limit")
    patience = reader.optionalInteger("training.patience", in: 1...large)
    minimumImprovement = reader.number("training.min-improvement", default: 0, in: 0 ... .infinity)
    divergence = DivergencePolicy(reader, "training.divergence")
    checkInterval = reader.integer("training.check-replicas", default: 1000, in: 0...large)
    spikeDeviations = reader.number("training.spike-deviations", default: 8, in: 0...1e6)
    batchSize = reader.integer("training.batch-size", default: 256, in: 1...large)
    shards = reader.integer("training.shards", default: 8, in: 1...65536)
    passes = reader.integer("training.accumulate", default: 1, in: 1...65536)
    threads = reader.integer("training.threads", default: 1, in: 1...256)
    seed = UInt64(reader.integer("training.seed", default: 1, in: 0...Int.max))
    isReproducible = reader.boolean("training.reproducible", default: true)
    shuffles = reader.boolean("training.shuffle", default: true)
    stallSeconds = reader.number(
      "training.stall-seconds", default: Watchdog.defaultLimit,
      in: 0.1...1e6)
    algorithm = AllreduceMethod.read(reader, "collective.algorithm")
    tuning = TuningConfiguration(reader)
    bucketBytes = reader.integer("collective.bucket-bytes", default: 1 << 20, in: 4...large)
    checkpoint = CheckpointConfiguration(reader)
    logInterval = reader.integer("log.every-steps", default: 10, in: 1...large)
    output = reader.string("output", default: "runs/\(TrainingConfiguration.stem(of: name))")

    for (key, value) in [("training.shards", shards), ("training.accumulate", passes)]
    where value & (value - 1) != 0 {
      reader.fault(key, "expected a power of two, found \(value)")
    }
    if targetAccuracy != nil, !loss.usesLabels || data?.test == nil {
      reader.fault(
        "training.target-accuracy", "needs data.test and a loss over class labels")
    }
    if minimumImprovement > 0, patience == nil {
      reader.fault("training.min-improvement", "needs training.patience")
    }
    if checkpoint.keepBest != .none, data?.test == nil {
      reader.fault("checkpoint.keep-best", "needs data.test")
    } else if checkpoint.keepBest == .accuracy, !loss.usesLabels {
      reader.fault("checkpoint.keep-best", "needs a loss over class labels, or loss in its place")
    }
    if let data, let answers = data.train.hasLabels, answers != loss.usesLabels {
      reader.fault(
        "loss",
        loss.usesLabels
          ? "\(loss.name) needs class labels, and data.train has targets"
          : "\(loss.name) needs targets, and data.train has class labels")
    }
    reader.refuseUnknownKeys()
    guard reader.faults.isEmpty, let data else { throw ConfigurationError(faults: reader.faults) }
    self.data = data
    self.data.labels = LibSVMDataset.Labels(loss)
    annotatedText = ConfigurationText(reader.entries).annotated
    text = ConfigurationText(reader.entries).plain
    values = reader.entries
  }

  private typealias Fault = ConfigurationError.Fault

  private static func tree(yaml: String, name: String) throws -> ConfigurationTree {
    let tree: ConfigurationTree
    do {
      let node = try Yams.compose(yaml: yaml) ?? .mapping(.init([]))
      tree = ConfigurationTree(node) { .file(name, line: $0) }
    } catch let error as YamlError {
      throw ConfigurationError(faults: [TrainingConfiguration.fault(error, name)])
    }
    guard case .section = tree else {
      throw ConfigurationError(faults: [
        .init(
          key: "", origin: .file(name, line: 1),
          reason: "expected sections such as 'data:' and 'model:'")
      ])
    }
    return tree
  }

  /// Puts a `key.path=value` into the tree, or says what is wrong with it.
  private static func apply(_ setting: String, to tree: inout ConfigurationTree) -> Fault? {
    guard let separator = setting.firstIndex(of: "="), separator != setting.startIndex else {
      return .init(key: setting, origin: .commandLine, reason: "expected key.path=value")
    }
    let key = String(setting[..<separator])
    let value = String(setting[setting.index(after: separator)...])
    let path = key.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    do {
      let node = try Yams.compose(yaml: value) ?? Node("")
      tree.set(path[...], ConfigurationTree(node) { _ in .commandLine })
      return nil
    } catch {
      return .init(key: key, origin: .commandLine, reason: "'\(value)' is not a YAML value")
    }
  }

  private static func fault(_ error: YamlError, _ name: String) -> ConfigurationError.Fault {
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      .init(key: "", origin: .file(name, line: mark.line), reason: "not valid YAML: \(problem)")
    case .duplicatedKeysInMapping(let keys, let context):
      .init(
        key: "", origin: .file(name, line: context.mark.line),
        reason: "the key '\(keys.first ?? "")' is there twice")
    case .reader(let problem, let offset, _, let text):
      .init(
        key: "", origin: .file(name, line: line(ofByte: offset ?? 0, in: text)),
        reason: "not valid YAML: \(problem)")
    default:
      .init(key: "", origin: .file(name, line: 1), reason: "not valid YAML: \(error)")
    }
  }

  private static func line(ofByte offset: Int, in text: String) -> Int {
    text.utf8.prefix(offset).reduce(1) { $1 == UInt8(ascii: "\n") ? $0 + 1 : $0 }
  }

  private static func stem(of path: String) -> String {
    URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
  }
}

/// There is no configuration file where one was named.
public struct UnreadableConfiguration: Error, CustomStringConvertible {
  public var path: String
  public var description: String { "\(path): no such configuration file, or it cannot be read" }
}

extension AllreduceMethod {
  /// `auto`, which is nil, or a method's name.
  fileprivate static func read(_ reader: ConfigurationReader, _ path: String) -> Self? {
    let names = ["auto"] + allCases.map(\.rawValue)
    let name = reader.value(
      path, default: "auto", names.joined(separator: " or "),
      parse: { node in node.string.flatMap { names.contains($0) ? $0 : nil } }, text: { $0 })
    return AllreduceMethod(rawValue: name)
  }
}
