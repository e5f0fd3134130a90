import Testing

@testable import Training

@Suite("settings that do not go together")
struct CrossCheckTests {
  @Test("an algorithm is chosen by name, or by size")
  func algorithm() throws {
    #expect(
      try ConfigurationFixture.read(settings: ["collective.algorithm=ring"]).algorithm
        == .schedule(.ring))
    #expect(
      try ConfigurationFixture.read(settings: ["collective.algorithm=tree"]).algorithm
        == .schedule(.tree))
    #expect(try ConfigurationFixture.read(settings: ["collective.algorithm=auto"]).algorithm == nil)
  }

  @Test("shards are a power of two", arguments: 1...20)
  func shards(count: Int) throws {
    let settings = ["training.shards=\(count)"]
    if [1, 2, 4, 8, 16].contains(count) {
      #expect(try ConfigurationFixture.read(settings: settings).shards == count)
    } else {
      #expect(
        ConfigurationFixture.faults(settings: settings)
          == ["--set training.shards: expected a power of two, found \(count)"])
    }
  }

  @Test("target-accuracy needs a test set and labels")
  func targetAccuracy() throws {
    let setting = "training.target-accuracy=0.9"
    let fault = "--set training.target-accuracy: needs data.test and a loss over class labels"
    #expect(ConfigurationFixture.faults(settings: [setting]) == [fault])
    let withTest = ConfigurationFixture.minimal.replacing(
      "train:", with: "test: {samples: 3}\n  train:")
    #expect(
      try ConfigurationFixture.read(withTest, settings: [setting]).targetAccuracy == 0.9)
    let regression = """
      data: {format: inline, train: {features: [1], targets: [1]},
             test: {features: [1], targets: [1]}}
      model: [{dense: 1}]
      loss: squared-error
      """
    #expect(ConfigurationFixture.faults(regression, settings: [setting]) == [fault])
  }

  @Test("a loss over labels needs labels, and one over values needs values")
  func loss() {
    #expect(
      ConfigurationFixture.faults(adding: "loss: squared-error\n")
        == ["c.yaml:5: loss: squared-error needs targets, and data.train has class labels"])
    let values = """
      data: {format: inline, train: {features: [1], targets: [1]}}
      model: [{dense: 1}]
      """
    #expect(
      ConfigurationFixture.faults(values).map { String($0.drop { $0 != " " }) }
        == [" softmax-cross-entropy needs class labels, and data.train has targets"])
  }
}
