import Foundation
import Testing

@testable import Training

@Suite("defaults < file < environment < --set")
struct PrecedenceTests {
  static let file = ConfigurationFixture.minimal + "training: {epochs: 2, seed: 22}\n"

  @Test("each source is stronger than the one before")
  func order() throws {
    func epochs(
      _ yaml: String, _ settings: [String] = [], _ environment: [String: String] = [:]
    ) throws -> Int {
      try ConfigurationFixture.read(yaml, settings: settings, environment: environment).epochs
    }
    let variable = ["LOCKSTEP_TRAINING_EPOCHS": "3"]
    #expect(try epochs(ConfigurationFixture.minimal) == 1)
    #expect(try epochs(PrecedenceTests.file) == 2)
    #expect(try epochs(PrecedenceTests.file, [], variable) == 3)
    #expect(try epochs(ConfigurationFixture.minimal, [], variable) == 3)
    #expect(try epochs(PrecedenceTests.file, ["training.epochs=4"], variable) == 4)
    #expect(try epochs(PrecedenceTests.file, ["training.epochs=4", "training.epochs=5"]) == 5)
    #expect(try epochs(ConfigurationFixture.minimal, ["training.epochs=4"]) == 4)
  }

  @Test("annotatedText says where every value is from")
  func origins() throws {
    let configuration = try ConfigurationFixture.read(
      PrecedenceTests.file, settings: ["optimizer.momentum=0.5"],
      environment: ["LOCKSTEP_OUTPUT": "there", "LOCKSTEP_TRAINING_SEED": "33"])
    let lines = configuration.annotatedText.split(separator: "\n").map {
      $0.split(separator: "#").map { $0.trimmingCharacters(in: .whitespaces) }
    }
    for (value, origin) in [
      ("format: synthetic", "c.yaml:2"), ("samples: 100", "c.yaml:3"),
      ("model: [{dense: {units: 10, bias: true, initializer: he-uniform}}]", "c.yaml:4"),
      ("epochs: 2", "c.yaml:5"), ("momentum: 0.5", "--set"),
      ("output: there", "LOCKSTEP_OUTPUT"), ("seed: 33", "LOCKSTEP_TRAINING_SEED"),
      ("batch-size: 256", "default"), ("max-steps: null", "default"),
    ] {
      #expect(lines.contains([value, origin]), "\(value) is not from \(origin)")
    }
    // Sections have no origin; everything else has one.
    #expect(lines.allSatisfy { $0.count == ($0[0].hasSuffix(":") ? 1 : 2) })
    let plain = configuration.text.split(separator: "\n").map {
      $0.trimmingCharacters(in: .whitespaces)
    }
    #expect(plain == lines.map { $0[0] })
  }

  @Test("every default is the documented one")
  func defaults() throws {
    let configuration = try ConfigurationFixture.read()
    #expect(
      configuration.text == """
        data:
          format: synthetic
          features: [784]
          classes: 10
          seed: 1
          train:
            samples: 100
          normalize: auto
        model: [{dense: {units: 10, bias: true, initializer: he-uniform}}]
        loss: {name: softmax-cross-entropy, label-smoothing: 0.0}
        optimizer:
          name: sgd
          learning-rate: 0.1
          momentum: 0.0
          nesterov: false
          weight-decay: 0.0
          l1: 0.0
          clip-value: null
          clip-norm: null
          schedule:
            name: constant
            warmup-steps: 0
        training:
          epochs: 1
          max-steps: null
          target-loss: null
          target-accuracy: null
          time-limit: null
          patience: null
          min-improvement: 0.0
          divergence:
            policy: stop
          check-replicas: 1000
          spike-deviations: 8.0
          batch-size: 256
          shards: 8
          accumulate: 1
          threads: 1
          seed: 1
          reproducible: true
          shuffle: true
          stall-seconds: 60.0
        collective:
          algorithm: auto
          tuning: measure
          bucket-bytes: 1048576
        checkpoint:
          every-steps: 500
          every-seconds: null
          keep: 3
          keep-best: none
        log:
          every-steps: 10
        output: runs/c

        """)
  }

  @Test("--set takes scalars, lists and sections")
  func settings() throws {
    let configuration = try ConfigurationFixture.read(
      PrecedenceTests.file,
      settings: [
        "model=[{dense: 3}, relu, {dense: 4}]", "training={batch-size: 7}", "output=a=b",
        "optimizer.schedule={name: cosine, warmup-steps: 5}", "optimizer.schedule.warmup-steps=6",
      ])
    #expect(configuration.model == [.dense(units: 3), .relu, .dense(units: 4)])
    #expect(configuration.batchSize == 7)
    #expect(configuration.output == "a=b")
    #expect(configuration.optimizer.schedule.shape == .cosine(end: 0))
    #expect(configuration.optimizer.schedule.warmupSteps == 6)
    // A section that is set takes the place of the file's.
    #expect(configuration.epochs == 1)
    #expect(configuration.seed == 1)
  }

  @Test("null takes a value away, wherever it is written")
  func null() throws {
    let yaml = ConfigurationFixture.minimal + "training: {max-steps: 5, epochs: 3}\n"
    #expect(try ConfigurationFixture.read(yaml).maximumSteps == 5)
    #expect(try ConfigurationFixture.read(yaml, settings: ["training.max-steps=null"]).epochs == 3)
    for (settings, environment) in [
      (["training.max-steps=null"], [:]), (["training.max-steps=~"], [:]),
      (["training.max-steps=null"], ["LOCKSTEP_TRAINING_MAX_STEPS": "7"]), (["training=null"], [:]),
      ([], ["LOCKSTEP_TRAINING_MAX_STEPS": "null"]),
    ] {
      let configuration = try ConfigurationFixture.read(
        yaml, settings: settings, environment: environment)
      #expect(configuration.maximumSteps == nil, "\(settings) \(environment)")
    }
    let empty = ConfigurationFixture.minimal + "training:\nlog: ~\n"
    #expect(try ConfigurationFixture.read(empty).epochs == 1)
  }

  @Test("environment variables hold lists as well, and can make a test set of their own")
  func environment() throws {
    let configuration = try ConfigurationFixture.read(
      environment: [
        "LOCKSTEP_MODEL": "[{dense: 20}, relu]", "LOCKSTEP_DATA_TEST_SAMPLES": "9",
        "LOCKSTEP_OPTIMIZER_LEARNING_RATE": "1e-3", "LOCKSTEP_TRAINING_SHUFFLE": "false",
        "LOCKSTEP_KERNELS": "avx2", "PATH": "/bin",
      ])
    #expect(configuration.model == [.dense(units: 20), .relu])
    #expect(configuration.optimizer.schedule.peak == 1e-3)
    #expect(!configuration.shuffles)
    guard case .synthetic(let test)? = configuration.data.test else {
      Issue.record("there is no test set")
      return
    }
    #expect(test.count == 9)
  }

  @Test("an unknown environment variable is a fault that names the nearest one")
  func unknownVariable() {
    #expect(
      ConfigurationFixture.faults(environment: ["LOCKSTEP_TRAINING_EPOCH": "3"])
        == [
          "LOCKSTEP_TRAINING_EPOCH: no configuration key has this variable; "
            + "did you mean LOCKSTEP_TRAINING_EPOCHS?"
        ])
    #expect(
      ConfigurationFixture.faults(environment: ["LOCKSTEP_OPTIMIZER": "{}", "LOCKSTEP_X": ""]).count
        == 2)
  }

  @Test("a wrong value is reported with the source that it is from")
  func wrongValue() {
    #expect(
      ConfigurationFixture.faults(environment: ["LOCKSTEP_TRAINING_EPOCHS": "many"])
        == [
          "LOCKSTEP_TRAINING_EPOCHS: training.epochs: expected a whole number from 1 to "
            + "2147483648, found 'many'"
        ])
    #expect(
      ConfigurationFixture.faults(settings: ["training.epochs=0"])
        == ["--set training.epochs: expected a whole number from 1 to 2147483648, found '0'"])
    #expect(
      ConfigurationFixture.faults(adding: "training:\n  seed: 1\n  epochs: 1.5\n")
        == [
          "c.yaml:7: training.epochs: expected a whole number from 1 to 2147483648, found '1.5'"
        ])
  }
}
