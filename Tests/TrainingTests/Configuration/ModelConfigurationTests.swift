import NN
import Testing

@testable import Training

@Suite("the model key")
struct ModelConfigurationTests {
  private func faults(_ model: String) -> [String] {
    ConfigurationFixture.faults(
      "data: {format: synthetic, train: {samples: 1}}\nmodel: \(model)\n")
  }

  @Test("a list of layers becomes layers")
  func layers() throws {
    let configuration = try ConfigurationFixture.read(
      settings: ["model=[{dense: 512}, relu, {dense: 10}]"])
    #expect(configuration.model == [.dense(units: 512), .relu, .dense(units: 10)])
  }

  @Test(
    "a layer that is not right is named by its number, and told what it needs",
    arguments: [
      ("[{dense: 1}, rleu]", "layer 1: unknown layer 'rleu'; did you mean 'relu'?"),
      (
        "[convolution]",
        "layer 0: unknown layer 'convolution'; there are "
          + LayerSpecification.names.joined(separator: ", ")
      ),
      ("[{Dense: 3}]", "layer 0: unknown layer 'Dense'; did you mean 'dense'?"),
      ("[dense]", "layer 0 (dense): units is missing: expected {dense: 512}"),
      ("[{dense: }]", "layer 0 (dense): units is missing: expected {dense: 512}"),
      ("[{dense: {}}]", "layer 0 (dense): units is missing: expected {dense: 512}"),
      (
        "[{dense: 0}]",
        "layer 0 (dense): units: expected a whole number from 1 to 2147483648, found '0'"
      ),
      (
        "[{dense: x}]",
        "layer 0 (dense): units: expected a whole number from 1 to 2147483648, found 'x'"
      ),
      (
        "[{dense: [3]}]",
        "layer 0 (dense): units: expected a whole number from 1 to 2147483648, found a list"
      ),
      (
        "[{dense: {units: 3, unit: 4}}]",
        "layer 0 (dense): unknown setting 'unit'; did you mean 'units'?"
      ),
      (
        "[{dropout: 1}]",
        "layer 0 (dropout): rate: expected a number from 0.0 to 0.99, found '1'"
      ),
      ("[dropout]", "layer 0 (dropout): rate is missing: expected {dropout: 0.5}"),
      (
        "[{batch-norm: 0.1}]",
        "layer 0 (batch-norm): expected batch-norm, or {batch-norm: {momentum: 0.1}}, found '0.1'"
      ),
      (
        "[{batch-norm: {momentun: 0.1}}]",
        "layer 0 (batch-norm): unknown setting 'momentun'; did you mean 'momentum'?"
      ),
      ("[relu, {relu: 3}]", "layer 1 (relu): expected relu, found '3'"),
      ("[relu, {relu: {a: 3}}]", "layer 1 (relu): unknown setting 'a'; there are none"),
      ("[{dense: 3, relu: 1}]", "layer 0: expected a name, or one name with its settings"),
      ("[[relu]]", "layer 0: expected a name, or one name with its settings"),
      ("[{}]", "layer 0: expected a name, or one name with its settings"),
      ("[{residual: relu}]", "layer 0 (residual): layers: expected a list of layers, found 'relu'"),
      ("[{residual: []}]", "layer 0 (residual): layers: expected a list of layers, found a list"),
      ("[{residual: [relu, rel]}]", "layer 0.1: unknown layer 'rel'; did you mean 'relu'?"),
      (
        "[{residual: {layers: [relu], shortcut: [{residual: [dense]}]}}]",
        "layer 0.shortcut.0.0 (dense): units is missing: expected {dense: 512}"
      ),
    ])
  func layerFaults(model: String, reason: String) {
    #expect(faults(model) == ["c.yaml:2: model: \(reason)"])
  }

  @Test("every fault of every layer is reported, each with its line")
  func allFaults() {
    let model = """

        - {dense: {unit: 3}}
        - {residual: [{dense: 3},
                      {dense: -1}, rel]}
        - {relu: 2}
      """
    #expect(
      faults(model) == [
        "c.yaml:3: model: layer 0 (dense): units is missing: expected {dense: 512}",
        "c.yaml:3: model: layer 0 (dense): unknown setting 'unit'; did you mean 'units'?",
        "c.yaml:5: model: layer 1.1 (dense): units: expected a whole number from 1 to 2147483648, "
          + "found '-1'",
        "c.yaml:5: model: layer 1.2: unknown layer 'rel'; did you mean 'relu'?",
        "c.yaml:6: model: layer 2 (relu): expected relu, found '2'",
      ])
  }

  @Test("blocks and settings read back, with every default")
  func roundTrip() throws {
    let configuration = try ConfigurationFixture.read(
      settings: ["model=[flatten, {residual: [{dense: 4}, relu]}, {leaky-relu: 0.25}]"])
    #expect(
      configuration.text.contains(
        "model: [flatten, {residual: {layers: [{dense: {units: 4, bias: true, initializer: "
          + "he-uniform}}, relu], shortcut: []}}, {leaky-relu: 0.25}]"))
    let again = try TrainingConfiguration(yaml: configuration.text, name: "again.yaml")
    #expect(again.model == configuration.model)
  }

  @Test(
    "what is no list of layers is refused",
    arguments: [("[]", "a list"), ("relu", "'relu'"), ("{dense: 3}", "a section"), ("3", "'3'")])
  func noList(model: String, found: String) {
    let faults = faults(model)
    #expect(faults.count == 1, "\(faults)")
    #expect(
      faults.first == "c.yaml:2: model: expected a list of layers such as "
        + "[{dense: 512}, relu, {dense: 10}], found \(found)")
  }
}
