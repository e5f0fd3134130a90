import Kernels

/// What a network's outputs are held against: one loss per sample, and its gradient.
public struct Loss: Sendable {
  typealias Evaluation =
    @Sendable (
      _ outputs: Matrix, _ targets: Targets, _ losses: UnsafeMutablePointer<Float>,
      _ gradient: Matrix, _ kernels: KernelSet
    ) -> Void

  public let name: String
  /// Every setting, defaults too: they read back as the same loss.
  public let settings: [RawSetting.Entry]
  /// Whether targets are class labels; else they are one value per output.
  public let usesLabels: Bool
  /// What one value per output has to be.
  public let targetRange: TargetRange
  private let evaluation: Evaluation

  /// Of targets that are values.
  public enum TargetRange: Sendable {
    case any
    /// From 0 to 1.
    case probabilities
    /// -1 and 1.
    case signs
  }

  /// Writes each sample's loss, and the gradient of their sum by the outputs.
  /// - Precondition: `targets` are of the kind that `usesLabels` says, one per row.
  public func evaluate(
    _ outputs: Matrix, _ targets: Targets, losses: UnsafeMutablePointer<Float>,
    gradient: Matrix, kernels: KernelSet
  ) {
    evaluation(outputs, targets, losses, gradient, kernels)
  }

  /// A loss by name and settings: `Loss("huber", ["delta": 1.0])`.
  /// - Throws: the first `SettingFault`.
  public init(_ name: String, _ settings: RawSetting = RawSetting(.none)) throws {
    var faults: [SettingFault] = []
    let loss = Loss(name, settings, place: settings.place, faults: &faults)
    if let fault = faults.first { throw fault }
    self = loss!
  }

  /// A loss as a configuration has it: a name, or a map of `name` and settings.
  /// - Parameter faults: everything that is wrong with it is added here; nil is returned then.
  public init?(_ setting: RawSetting, faults: inout [SettingFault]) {
    switch setting.value {
    case .text(let name):
      self.init(
        name, RawSetting(.none, place: setting.place), place: setting.place, faults: &faults)
    case .map(let entries):
      let name = entries.last { $0.key == "name" }?.value ?? RawSetting(.none, place: setting.place)
      guard case .text(let text) = name.value else { fallthrough }
      let others = RawSetting(.map(entries.filter { $0.key != "name" }), place: setting.place)
      self.init(text, others, place: name.place, faults: &faults)
    default:
      faults.append(
        SettingFault(
          place: setting.place,
          description: "expected \(Loss.names.joined(separator: " or ")), or a name with settings "
            + "such as {name: squared-error}, found \(setting.found)"))
      return nil
    }
  }

  private init?(
    _ name: String, _ setting: RawSetting, place: Int, faults: inout [SettingFault]
  ) {
    guard let definition = LossDefinition.all.first(where: { $0.name == name }) else {
      let hint =
        Suggestion.nearest(to: name, among: Loss.names).map { "did you mean '\($0)'?" }
        ?? "there are \(Loss.names.joined(separator: ", "))"
      faults.append(SettingFault(place: place, description: "unknown loss '\(name)'; \(hint)"))
      return nil
    }
    let reader = SettingReader(setting, of: name, main: nil, example: name)
    evaluation = definition.read(reader)
    reader.refuseUnknownKeys()
    self.name = name
    usesLabels = definition.usesLabels
    targetRange = definition.targetRange
    settings = reader.resolved
    faults += reader.faults
    if !reader.faults.isEmpty { return nil }
  }

  /// The names that configurations use.
  public static let names = LossDefinition.all.map(\.name)

  public static let softmaxCrossEntropy = try! Loss("softmax-cross-entropy")
  public static let squaredError = try! Loss("squared-error")

  /// As a configuration has it.
  public var setting: RawSetting {
    settings.isEmpty
      ? RawSetting(.text(name))
      : RawSetting(.map([.init(key: "name", value: RawSetting(.text(name)))] + settings))
  }
}

extension Loss: Equatable {
  public static func == (a: Loss, b: Loss) -> Bool {
    a.name == b.name && a.settings == b.settings
  }
}

extension Loss: CustomStringConvertible {
  /// As YAML, on one line.
  public var description: String { setting.description }
}

/// A batch's targets, one entry per row.
public enum Targets {
  /// A class each.
  case labels(UnsafePointer<Int32>)
  /// As many values each as the network has outputs, row-major.
  case values(UnsafePointer<Float>)
}

/// Rows of `outputs` whose largest element is at the label; the first one counts among equals.
public func countCorrect(_ outputs: Matrix, labels: UnsafePointer<Int32>) -> Int {
  var correct = 0
  for i in 0..<outputs.rows {
    let row = outputs.row(i)
    var best = 0
    for j in 0..<outputs.columns where row[j] > row[best] { best = j }
    if best == Int(labels[i]) { correct += 1 }
  }
  return correct
}
