import Datasets
import Testing
import TestSupport

@testable import Training

@Suite("the data section")
struct DataConfigurationTests {
  private func yaml(_ data: String, loss: String = "softmax-cross-entropy") -> String {
    "data: \(data)\nmodel: [{dense: 10}]\nloss: \(loss)\n"
  }

  @Test("idx takes features and labels, or features and targets")
  func idx() throws {
    let labels = try ConfigurationFixture.read(
      yaml("{format: idx, train: {features: a, labels: b}, test: {features: c, labels: d}}"))
    guard case .idx("a", "b") = labels.data.train, case .idx("c", "d")? = labels.data.test else {
      Issue.record("\(labels.data)")
      return
    }
    #expect(labels.data.normalization == .auto)
    let targets = try ConfigurationFixture.read(
      yaml(
        "{format: idx, train: {features: a, targets: b}, normalize: none}", loss: "squared-error"))
    guard case .idxValues("a", "b") = targets.data.train, targets.data.test == nil else {
      Issue.record("\(targets.data)")
      return
    }
    #expect(targets.data.normalization == .none)
  }

  @Test("inline takes numbers or lists of numbers")
  func inline() throws {
    let labels = try ConfigurationFixture.read(
      yaml("{format: inline, train: {features: [[1, 2], [3, 4.5]], labels: [0, 3]}}"))
    guard case .inline([[1, 2], [3, 4.5]], [0, 3]) = labels.data.train else {
      Issue.record("\(labels.data)")
      return
    }
    let targets = try ConfigurationFixture.read(
      yaml(
        "{format: inline, train: {features: [1, -2e3], targets: [[3], 4]}}", loss: "squared-error"))
    guard case .inlineValues([[1], [-2000]], [[3], [4]]) = targets.data.train else {
      Issue.record("\(targets.data)")
      return
    }
    let dataset = try targets.data.open(targets.data.train, name: "data.train")
    #expect(dataset.count == 2)
  }

  @Test("faults of inline samples come with the name of the part when it is opened")
  func inlineFaults() throws {
    let configuration = try ConfigurationFixture.read(
      yaml("{format: inline, train: {features: [1, 2], labels: [1]}}"))
    let error = #expect(throws: DatasetError.self) {
      try configuration.data.open(configuration.data.train, name: "data.train")
    }
    #expect(error?.description == "data.train: 1 target for 2 samples of features")
  }

  @Test("synthetic takes samples, features and classes; its parts have samples of their own")
  func synthetic() throws {
    let configuration = try ConfigurationFixture.read(
      yaml(
        "{format: synthetic, features: [4, 6], classes: 3, seed: 8, train: {samples: 30}, "
          + "test: {samples: 12}}"))
    let data = configuration.data
    let training = try data.open(data.train, name: "data.train")
    let test = try data.open(try #require(data.test), name: "data.test")
    #expect(training.count == 30 && test.count == 12)
    #expect(training.featureExtents == [4, 6])
    #expect(training.targets == .labels(classes: 3))
    let flat = try ConfigurationFixture.read(
      yaml("{format: synthetic, features: 5, train: {samples: 1}}"))
    #expect(try flat.data.open(flat.data.train, name: "").featureExtents == [5])
  }

  @Test("what a format needs and does not find, or finds and does not know, is a fault")
  func faults() {
    let rows = "expected a list of numbers, or of lists of numbers, one for each sample"
    for (data, expected) in [
      (
        "{format: idy, train: {samples: 3}, normalize: none}",
        ["c.yaml:1: data.format: expected idx or libsvm or inline or synthetic, found 'idy'"]
      ),
      (
        "{train: {samples: 3}}",
        ["c.yaml:1: data.format: missing: expected idx or libsvm or inline or synthetic"]
      ),
      (
        "{format: idx, train: {features: a}}",
        ["c.yaml:1: data.train.labels: missing: expected the path of an IDX file"]
      ),
      (
        "{format: idx, train: {features: a, label: b}, test: {features: c, labels: d}}",
        [
          "c.yaml:1: data.train.labels: missing: expected the path of an IDX file",
          "c.yaml:1: data.train.label: unknown key; did you mean 'labels'?",
        ]
      ),
      (
        "{format: idx, train: {features: a, labels: b}, test: {labels: d}, normalize: none}",
        ["c.yaml:1: data.test.features: missing: expected the path of an IDX file"]
      ),
      (
        "{format: idx, train: {features: [a], labels: b}}",
        ["c.yaml:1: data.train.features: expected the path of an IDX file, found a list"]
      ),
      (
        "{format: inline, train: {features: [1, x], labels: [0, 1]}}",
        ["c.yaml:1: data.train.features: \(rows), found a list"]
      ),
      (
        "{format: inline, train: {features: [1, .inf], labels: [0, 1]}}",
        ["c.yaml:1: data.train.features: \(rows), found a list"]
      ),
      (
        "{format: inline, train: {features: [1], labels: [-1]}}",
        ["c.yaml:1: data.train.labels: expected a list of classes such as [0, 1, 1], found a list"]
      ),
      (
        "{format: synthetic, train: {samples: 3}, test: {}}",
        [
          "c.yaml:1: data.test.samples: missing: expected a whole number from 1 to 2147483648"
        ]
      ),
      (
        "{format: synthetic, features: [16777216, 16777216, 16777216], train: {samples: 3}}",
        [
          "c.yaml:1: data.features: expected a number of features, or their extents such as "
            + "[28, 28], 16777216 in all at most, found a list"
        ]
      ),
    ] {
      #expect(ConfigurationFixture.faults(yaml(data)) == expected)
    }
  }

  @Test("labels in one part and targets in the other do not go together")
  func mixed() {
    let faults = ConfigurationFixture.faults(
      yaml("{format: idx, train: {features: a, labels: b}, test: {features: a, targets: b}}"))
    #expect(
      faults == [
        "c.yaml:1: data.test: labels here and targets in data.train do not go together"
      ])
  }
}
