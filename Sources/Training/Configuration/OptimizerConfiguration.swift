import NN

/// The `optimizer` section: which optimizer, what it is told, and what is made of gradients before.
public struct OptimizerConfiguration: Equatable, Sendable {
  public var specification: OptimizerSpecification
  public var clipping: GradientClipping
  /// The factor of sign(w) that is added to each parameter's gradient: the gradient of l1 |w|.
  public var l1: Float
  public var schedule: LearningRateSchedule

  init(_ reader: ConfigurationReader) {
    let kinds = OptimizerSpecification.kinds
    let name = reader.name("optimizer.name", default: SGD.name, among: kinds.map { $0.name })
    let kind = name.flatMap(OptimizerSpecification.kind) ?? SGD.self
    let rate = reader.number(
      "optimizer.learning-rate", default: kind.defaultLearningRate,
      in: 0...Double(Float.greatestFiniteMagnitude))
    specification = OptimizerConfiguration.readSettings(of: kind, reader)
    if name == nil {
      // Which of the others belong here cannot be told.
      reader.ignoreUnknownKeys(in: "optimizer")
    } else {
      OptimizerConfiguration.refuseSettings(ofOthersThan: kind, reader)
    }
    l1 = Float(reader.number("optimizer.l1", default: 0, in: 0...1e6))
    clipping = GradientClipping(reader)
    schedule = LearningRateSchedule(reader, "optimizer.schedule", peak: rate)
  }

  private static func readSettings(
    of kind: any Optimizer.Type, _ reader: ConfigurationReader
  ) -> OptimizerSpecification {
    var specification = OptimizerSpecification(kind)
    for setting in kind.settings {
      let path = "optimizer.\(setting.name)"
      switch setting.kind {
      case .number(let fallback, let range):
        specification.values[number: setting.name] = reader.number(
          path, default: fallback, in: range)
      case .flag(let fallback):
        specification.values[flag: setting.name] = reader.boolean(path, default: fallback)
      }
    }
    if let fault = kind.fault(in: specification.values) {
      reader.fault("optimizer.\(fault.setting)", fault.reason)
    }
    return specification
  }

  private static func refuseSettings(
    ofOthersThan kind: any Optimizer.Type, _ reader: ConfigurationReader
  ) {
    let owners = OptimizerSpecification.kinds.map { (name: $0.name, keys: $0.settings.map(\.name)) }
    reader.refuseKeys(ofOthersThan: kind.name, among: owners, in: "optimizer")
  }
}

extension GradientClipping {
  fileprivate init(_ reader: ConfigurationReader) {
    let limits = 1e-30...Double(Float.greatestFiniteMagnitude)
    let value = reader.optionalNumber("optimizer.clip-value", in: limits)
    let norm = reader.optionalNumber("optimizer.clip-norm", in: limits)
    switch (value, norm) {
    case (nil, nil): self = .none
    case (let value?, nil): self = .value(value)
    case (nil, let norm?): self = .norm(norm)
    case (let value?, .some):
      reader.fault("optimizer.clip-norm", "does not go with clip-value: choose one of them")
      self = .value(value)
    }
  }
}

extension ConfigurationReader {
  /// Refuses the keys of a section that belong to another choice than the one made there.
  func refuseKeys(
    ofOthersThan chosen: String, among owners: [(name: String, keys: [String])],
    in section: String
  ) {
    let own = owners.first { $0.name == chosen }?.keys ?? []
    var refused: Set<String> = []
    for key in owners.flatMap(\.keys) where !own.contains(key) && refused.insert(key).inserted {
      let names = owners.filter { $0.keys.contains(key) }.map(\.name)
      let list =
        names.count == 1
        ? "\(names[0]) has it"
        : "\(names.dropLast().joined(separator: ", ")) and \(names.last!) have it"
      refuse("\(section).\(key)", "\(chosen) has no '\(key)'; \(list)")
    }
  }
}
