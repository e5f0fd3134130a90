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
      ("[convolution]", "layer 0: unknown layer 'convolution'; there are dense, relu"),
      ("[{Dense: 3}]", "layer 0: unknown layer 'Dense'; did you mean 'dense'?"),
      ("[dense]", "layer 0: dense needs its number of outputs, such as {dense: 512}"),
      ("[{dense: 0}]", "layer 0: dense needs its number of outputs, such as {dense: 512}"),
      ("[{dense: x}]", "layer 0: dense needs its number of outputs, such as {dense: 512}"),
      ("[{dense: }]", "layer 0: dense needs its number of outputs, such as {dense: 512}"),
      ("[relu, {relu: 3}]", "layer 1: relu has no setting"),
      ("[{dense: 3, relu: 1}]", "layer 0: expected a name, or one name with a setting"),
      ("[[relu]]", "layer 0: expected a name, or one name with a setting"),
      ("[{}]", "layer 0: expected a name, or one name with a setting"),
    ])
  func layerFaults(model: String, reason: String) {
    #expect(faults(model) == ["c.yaml:2: model: \(reason)"])
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
