import NN
import Testing

@testable import Training

@Suite("the optimizer section")
struct OptimizerConfigurationTests {
  private func faults(_ section: String) -> [String] {
    ConfigurationFixture.faults(adding: "optimizer: {\(section)}\n")
  }

  private func read(_ section: String) throws -> OptimizerConfiguration {
    try ConfigurationFixture.read(
      ConfigurationFixture.minimal + "optimizer: {\(section)}\n"
    ).optimizer
  }

  @Test(
    "every optimizer has defaults of its own, and reads back",
    arguments: OptimizerSpecification.kinds.map { $0.name })
  func defaults(name: String) throws {
    let kind = OptimizerSpecification.kind(name)!
    let configuration = try ConfigurationFixture.read(settings: ["optimizer.name=\(name)"])
    let optimizer = configuration.optimizer
    #expect(optimizer.specification == OptimizerSpecification(kind))
    #expect(optimizer.schedule.peak == kind.defaultLearningRate)
    #expect(optimizer.clipping == .none && optimizer.l1 == 0)
    for setting in kind.settings { #expect(configuration.text.contains("\(setting.name): ")) }
    let again = try TrainingConfiguration(yaml: configuration.text, name: "again.yaml")
    #expect(again.optimizer == optimizer)
    #expect(again.text == configuration.text)
  }

  @Test("what is written is what is used")
  func values() throws {
    let rmsprop = try read(
      "name: rmsprop, alpha: 0.9, epsilon: 1e-6, momentum: 0.5, centered: true, weight-decay: 0.1, "
        + "l1: 0.25, clip-norm: 2")
    #expect(rmsprop.specification.values[number: "alpha"] == 0.9)
    #expect(rmsprop.specification.values[number: "epsilon"] == 1e-6)
    #expect(rmsprop.specification.values[flag: "centered"])
    #expect(rmsprop.l1 == 0.25 && rmsprop.clipping == .norm(2))
    #expect(rmsprop.specification.stateCount == 3)
    #expect(try read("clip-value: 0.5").clipping == .value(0.5))
    #expect(try read("momentum: 0.9, nesterov: true").specification.values[flag: "nesterov"])
  }

  @Test("every schedule is read, with its settings")
  func schedules() throws {
    for (text, shape) in [
      ("name: constant", .constant), ("name: linear, end-factor: 0.5", .linear(end: 0.5)),
      ("name: exponential, gamma: 0.999", .exponential(gamma: 0.999)),
      ("name: step, every: 100", .steps(every: 100, gamma: 0.1)),
      ("name: step, milestones: [3, 9], gamma: 0.5", .milestones([3, 9], gamma: 0.5)),
      ("name: cosine", .cosine(end: 0)),
      ("name: polynomial, end-factor: 0.1", .polynomial(power: 2, end: 0.1)),
    ] as [(String, LearningRateSchedule.Shape)] {
      let yaml =
        ConfigurationFixture.minimal + "optimizer: {schedule: {\(text), warmup-steps: 7}}\n"
      let configuration = try ConfigurationFixture.read(yaml)
      #expect(configuration.optimizer.schedule.shape == shape)
      #expect(configuration.optimizer.schedule.warmupSteps == 7)
      let again = try TrainingConfiguration(yaml: configuration.text, name: "again.yaml")
      #expect(again.optimizer == configuration.optimizer)
    }
  }

  @Test("keys of another optimizer are refused with the names of those that have them")
  func foreignKeys() {
    #expect(
      faults("name: sgd, beta1: 0.9")
        == ["c.yaml:5: optimizer.beta1: sgd has no 'beta1'; adam, adamw and lamb have it"])
    #expect(
      faults("name: adam, trust-coefficient: 1, nesterov: true") == [
        "c.yaml:5: optimizer.nesterov: adam has no 'nesterov'; sgd has it",
        "c.yaml:5: optimizer.trust-coefficient: adam has no 'trust-coefficient'; lars has it",
      ])
    #expect(
      faults("name: adamw, exclude-vectors: true") == [
        "c.yaml:5: optimizer.exclude-vectors: adamw has no 'exclude-vectors'; lars and lamb have it"
      ])
    #expect(
      ConfigurationFixture.faults(environment: ["LOCKSTEP_OPTIMIZER_ALPHA": "0.9"])
        == ["LOCKSTEP_OPTIMIZER_ALPHA: optimizer.alpha: sgd has no 'alpha'; rmsprop has it"])
    #expect(
      ConfigurationFixture.faults(settings: ["optimizer.name=adamw", "optimizer.momentum=0.5"])
        == ["--set optimizer.momentum: adamw has no 'momentum'; sgd, rmsprop and lars have it"])
  }

  @Test("unknown keys get a suggestion among those of the chosen optimizer")
  func unknownKeys() {
    #expect(
      faults("name: adam, beta3: 0.9").first?.hasPrefix(
        "c.yaml:5: optimizer.beta3: unknown key; did you mean 'beta1'?") == true)
    #expect(
      faults("schedule: {name: cosine, end-facter: 0.1}")
        == ["c.yaml:5: optimizer.schedule.end-facter: unknown key; did you mean 'end-factor'?"])
  }

  @Test("an unknown optimizer or schedule is one fault, whatever else is there")
  func unknownNames() {
    #expect(
      faults("name: adm, beta1: 0.9, gamma: 3") == [
        "c.yaml:5: optimizer.name: expected sgd or adam or adamw or adagrad or rmsprop or lars or "
          + "lamb, found 'adm'"
      ])
    #expect(
      faults("schedule: {name: cos, gamma: 1}") == [
        "c.yaml:5: optimizer.schedule.name: expected constant or linear or exponential or step or "
          + "cosine or polynomial, found 'cos'"
      ])
  }

  @Test(
    "faults are told with what to do",
    arguments: [
      ("momentum: -0.1", "optimizer.momentum: expected a number from 0.0 to 1.0, found '-0.1'"),
      (
        "name: adam, beta1: 1", "optimizer.beta1: expected a number from 0.0 to 0.999999, found '1'"
      ),
      (
        "name: adam, epsilon: 0",
        "optimizer.epsilon: expected a number from 1e-30 to 1.0, found '0'"
      ),
      ("nesterov: maybe", "optimizer.nesterov: expected true or false, found 'maybe'"),
      (
        "nesterov: true",
        "optimizer.nesterov: looks ahead along the momentum, and optimizer.momentum is 0"
      ),
      ("l1: -1", "optimizer.l1: expected a number from 0.0 to 1000000.0, found '-1'"),
      (
        "clip-norm: 1, clip-value: 1",
        "optimizer.clip-norm: does not go with clip-value: choose one of them"
      ),
      (
        "schedule: {name: exponential}",
        "optimizer.schedule.gamma: missing: expected a number from 0.0 to 1.0"
      ),
      (
        "schedule: {name: step}",
        "optimizer.schedule: step needs 'every: STEPS' or 'milestones: [STEP, ...]'"
      ),
      (
        "schedule: {name: step, every: 1, milestones: [1]}",
        "optimizer.schedule.milestones: does not go with every: choose one of them"
      ),
      (
        "schedule: {name: step, milestones: [5, 5]}",
        "optimizer.schedule.milestones: expected a list of steps in ascending order, such as "
          + "[4000, 6000], found a list"
      ),
      (
        "schedule: {gamma: 0.5}",
        "optimizer.schedule.gamma: constant has no 'gamma'; exponential and step have it"
      ),
    ])
  func faults(section: String, fault: String) {
    #expect(faults(section) == ["c.yaml:5: " + fault])
  }

  @Test("a clipping limit of 0 is refused", arguments: ["clip-norm", "clip-value"])
  func limits(key: String) {
    let faults = faults("\(key): 0")
    #expect(faults.count == 1)
    #expect(
      faults.first?.hasPrefix("c.yaml:5: optimizer.\(key): expected a number from 1e-30") == true)
  }

  @Test("passes are a power of two")
  func passes() throws {
    #expect(try ConfigurationFixture.read(settings: ["training.accumulate=4"]).passes == 4)
    #expect(
      ConfigurationFixture.faults(settings: ["training.accumulate=3"])
        == ["--set training.accumulate: expected a power of two, found 3"])
  }
}
