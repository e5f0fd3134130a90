import NN

// The `optimizer.schedule` section.
//
//     schedule: {name: step, milestones: [4000, 6000], gamma: 0.1, warmup-steps: 500}

extension LearningRateSchedule {
  /// What each shape can be told.
  private static let keys: [(name: String, keys: [String])] = [
    ("constant", []), ("linear", ["end-factor"]), ("exponential", ["gamma"]),
    ("step", ["every", "milestones", "gamma"]), ("cosine", ["end-factor"]),
    ("polynomial", ["power", "end-factor"]),
  ]

  init(_ reader: ConfigurationReader, _ path: String, peak: Double) {
    let names = LearningRateSchedule.keys.map(\.name)
    let name = reader.name("\(path).name", default: names[0], among: names)
    let warmupSteps = reader.integer("\(path).warmup-steps", default: 0, in: 0...1 << 31)
    self.init(
      shape: Shape(reader, path, name: name ?? names[0]), peak: peak, warmupSteps: warmupSteps)
    if let name {
      reader.refuseKeys(ofOthersThan: name, among: LearningRateSchedule.keys, in: path)
    } else {
      reader.ignoreUnknownKeys(in: path)
    }
  }
}

extension LearningRateSchedule.Shape {
  fileprivate init(_ reader: ConfigurationReader, _ path: String, name: String) {
    func end() -> Double { reader.number("\(path).end-factor", default: 0, in: 0...1) }
    switch name {
    case "linear": self = .linear(end: end())
    case "exponential":
      self = .exponential(gamma: reader.requiredNumber("\(path).gamma", in: 0...1) ?? 1)
    case "step": self.init(steps: reader, path)
    case "cosine": self = .cosine(end: end())
    case "polynomial":
      let power = reader.number("\(path).power", default: 2, in: 0...100)
      self = .polynomial(power: power, end: end())
    default: self = .constant
    }
  }

  /// `every` or `milestones`, and `gamma`.
  private init(steps reader: ConfigurationReader, _ path: String) {
    let (everyPath, milestonesPath) = ("\(path).every", "\(path).milestones")
    let isBoth = reader.has(everyPath) && reader.has(milestonesPath)
    let milestones = reader.has(milestonesPath) ? reader.ascendingSteps(milestonesPath) : nil
    var every: Int?
    if reader.has(everyPath) {
      every = reader.requiredInteger(everyPath, in: 1...1 << 31)
    } else if !reader.has(milestonesPath) {
      reader.fault(path, "step needs 'every: STEPS' or 'milestones: [STEP, ...]'")
    }
    if isBoth { reader.fault(milestonesPath, "does not go with every: choose one of them") }
    let gamma = reader.number("\(path).gamma", default: 0.1, in: 0...1)
    self =
      milestones.map { .milestones($0, gamma: gamma) } ?? .steps(every: every ?? 1, gamma: gamma)
  }
}

extension ConfigurationReader {
  fileprivate func ascendingSteps(_ path: String) -> [Int]? {
    required(
      path, "a list of steps in ascending order, such as [4000, 6000]",
      parse: { node -> [Int]? in
        guard let items = node.sequence, !items.isEmpty else { return nil }
        let steps = items.compactMap { ConfigurationReader.integer($0, in: 1...1 << 31) }
        let isAscending = zip(steps, steps.dropFirst()).allSatisfy { $0 < $1 }
        return steps.count == items.count && isAscending ? steps : nil
      },
      text: { "\($0)" })
  }
}
