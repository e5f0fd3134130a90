import Collective
import Testing
import TestSupport

@testable import Training

@Suite("faults of a configuration")
struct ConfigurationFaultTests {
  @Test("every fault is in one report, each with its line")
  func allAtOnce() {
    let yaml = """
      data:
        format: synthetic
        train: {samples: none}
      modle: [{dense: 10}]
      loss: squard-error
      optimizer:
        momentum: 2
        schedule: {nam: cosine}
      training: {shards: 6, batch-size: big, reproducible: 1}
      collective: {algorithm: rings}
      """
    let faults = ConfigurationFixture.faults(
      yaml, settings: ["log.every-steps=-1", "nonsense"], environment: ["LOCKSTEP_OUTPUTS": "x"])
    for part in [
      "--set nonsense: expected key.path=value",
      "c.yaml:3: data.train.samples: expected a whole number",
      "c.yaml:1: model: missing: expected a list of layers",
      "c.yaml:4: modle: unknown key; did you mean 'model'?",
      "c.yaml:5: loss: unknown loss 'squard-error'; did you mean 'squared-error'?",
      "c.yaml:7: optimizer.momentum: expected a number from 0.0 to 1.0, found '2'",
      "c.yaml:8: optimizer.schedule.nam: unknown key; did you mean 'name'?",
      "c.yaml:9: training.shards: expected a power of two, found 6",
      "c.yaml:9: training.batch-size: expected a whole number from 1 to 2147483648, found 'big'",
      "c.yaml:9: training.reproducible: expected true or false, found '1'",
      "c.yaml:10: collective.algorithm: expected auto or "
        + "\(AllreduceMethod.allCases.map(\.rawValue).joined(separator: " or ")), found 'rings'",
      "--set log.every-steps: expected a whole number",
      "LOCKSTEP_OUTPUTS: no configuration key has this variable; did you mean LOCKSTEP_OUTPUT?",
    ] {
      #expect(faults.filter { $0.hasPrefix(part) }.count == 1, "\(part)\n\(faults)")
    }
    #expect(faults.count == 13, "\(faults.joined(separator: "\n"))")
  }

  @Test("an unknown key gets a suggestion at every level, or the keys that there are")
  func unknownKeys() {
    for (more, expected) in [
      ("trainings: {epochs: 1}\n", "c.yaml:5: trainings: unknown key; did you mean 'training'?"),
      (
        "training: {epoch: 1}\n",
        "c.yaml:5: training.epoch: unknown key; did you mean 'epochs'?"
      ),
      (
        "optimizer:\n  schedule:\n    nmae: cosine\n",
        "c.yaml:7: optimizer.schedule.nmae: unknown key; did you mean 'name'?"
      ),
      ("log: {colour: red}\n", "c.yaml:5: log.colour: unknown key; there are every-steps"),
      ("? [a, b]\n: 1\n", "c.yaml:6: unknown key; there are "),
    ] {
      let faults = ConfigurationFixture.faults(adding: more)
      #expect(faults.count == 1)
      #expect(faults.first?.hasPrefix(expected) == true, "\(faults)")
    }
    #expect(
      ConfigurationFixture.faults(settings: ["training.epoch=3"])
        == ["--set training.epoch: unknown key; did you mean 'epochs'?"])
    #expect(
      ConfigurationFixture.faults(settings: ["training..epochs=3"]).first?
        .hasPrefix("--set training.: unknown key") == true)
  }

  @Test("a key that is there twice is named, with a line")
  func duplicates() {
    #expect(
      ConfigurationFixture.faults(adding: "training:\n  epochs: 1\n  seed: 2\n  epochs: 2\n")
        == ["c.yaml:6: the key 'epochs' is there twice"])
    #expect(
      ConfigurationFixture.faults(adding: "loss: squared-error\nmodel: [relu]\n")
        == ["c.yaml:4: the key 'model' is there twice"])
  }

  @Test(
    "what is not YAML is one fault with its line",
    arguments: [
      ("training: {epochs: 1\n", 6), ("training:\n\tepochs: 1\n", 6), ("log: 'a\n", 6),
      ("a: b: c\n", 5), ("log: *none\n", 5), ("\u{1}\n", 5), ("--- \nmore: 1\n", 5),
    ])
  func malformed(more: String, line: Int) {
    let faults = ConfigurationFixture.faults(adding: more)
    #expect(faults.count == 1, "\(faults)")
    #expect(faults.first?.hasPrefix("c.yaml:\(line): not valid YAML: ") == true, "\(faults)")
  }

  @Test("a file that is no mapping is one fault", arguments: ["7", "[1, 2]", "text", "- a\n- b"])
  func noMapping(yaml: String) {
    #expect(
      ConfigurationFixture.faults(yaml)
        == ["c.yaml:1: expected sections such as 'data:' and 'model:'"])
  }

  @Test("an empty file lacks what must be there", arguments: ["", "# nothing\n", "{}"])
  func empty(yaml: String) {
    let faults = ConfigurationFixture.faults(yaml)
    #expect(
      faults == [
        "c.yaml:1: data.format: missing: expected idx or libsvm or inline or synthetic",
        "c.yaml:1: model: missing: expected a list of layers such as "
          + "[{dense: 512}, relu, {dense: 10}]",
      ])
  }

  @Test("a missing file, a folder and a file that is no text are refused by name")
  func noFile() throws {
    let folder = try TemporaryDirectory()
    let binary = try folder.file("binary", [0xFF, 0xFE, 0x00, 0xC3])
    for path in ["\(folder.path)/none.yaml", folder.path, binary] {
      let error = #expect(throws: UnreadableConfiguration.self) {
        try TrainingConfiguration(file: path)
      }
      #expect(error?.description.hasPrefix("\(path): no such configuration file") == true)
    }
  }

  @Test(
    "a value where a section belongs is refused, not ignored",
    arguments: [
      ("optimizer: adam\n", "c.yaml:5: optimizer: expected a section with name, learning-rate"),
      ("training: [epochs, 3]\n", "c.yaml:5: training: expected a section with epochs"),
      ("optimizer: {schedule: cosine}\n", "c.yaml:5: optimizer.schedule: expected a section with"),
    ])
  func noSection(more: String, expected: String) {
    let faults = ConfigurationFixture.faults(adding: more)
    #expect(faults.count == 1)
    #expect(faults.first?.hasPrefix(expected) == true, "\(faults)")
  }

  @Test(
    "a section or a list where a value belongs is refused as what it is",
    arguments: [("{a: 1}", "a section"), ("[1]", "a list"), ("[]", "a list"), ("''", "''")])
  func noValue(value: String, found: String) {
    let faults = ConfigurationFixture.faults(adding: "training: {epochs: \(value)}\n")
    #expect(faults.count == 1, "\(faults)")
    #expect(faults.first?.hasSuffix("found \(found)") == true, "\(faults)")
  }

  @Test(
    "numbers that are none, or are out of range, are refused",
    arguments: [
      "optimizer.learning-rate=-1", "optimizer.learning-rate=.inf", "optimizer.learning-rate=.nan",
      "optimizer.learning-rate=1e39", "optimizer.learning-rate=fast", "optimizer.momentum=1.01",
      "training.target-loss=.inf", "training.target-loss=-.inf", "training.target-accuracy=90",
      "training.epochs=1e3", "training.epochs=99999999999999999999", "training.epochs='3'",
      "training.epochs=9223372036854775807:59", "training.epochs=1:30", "training.seed=-1",
      "training.target-loss=1:30", "training.shards=0", "training.threads=0",
      "training.threads=257", "training.shards=131072",
      "collective.bucket-bytes=3", "log.every-steps=0", "training.batch-size=0",
      "training.shuffle=2",
    ])
  func numbers(setting: String) {
    let faults = ConfigurationFixture.faults(settings: [setting])
    #expect(faults.count == 1, "\(faults)")
    let key = setting.split(separator: "=")[0]
    #expect(faults.first?.hasPrefix("--set \(key): expected ") == true, "\(faults)")
  }

  @Test(
    "a --set that is no setting is refused",
    arguments: ["", "=", "=3", "epochs", "training.epochs", "training.epochs=[1", "a=*b"])
  func settings(setting: String) {
    let faults = ConfigurationFixture.faults(settings: [setting])
    #expect(faults.count == 1, "\(faults)")
    #expect(faults.first?.hasPrefix("--set ") == true, "\(faults)")
  }
}
