import NN
import Testing

@testable import Training

@Suite("the loss key")
struct LossConfigurationTests {
  @Test("a loss is a name, or a section with its settings")
  func losses() throws {
    func loss(_ text: String, _ settings: [String] = [], _ environment: [String: String] = [:])
      throws -> Loss
    {
      try ConfigurationFixture.read(
        ConfigurationFixture.minimal + "loss: \(text)\n", settings: settings,
        environment: environment
      ).loss
    }
    let smooth = try Loss("softmax-cross-entropy", ["label-smoothing": 0.1])
    #expect(try loss("softmax-cross-entropy") == .softmaxCrossEntropy)
    #expect(try loss("{name: softmax-cross-entropy, label-smoothing: 0.1}") == smooth)
    #expect(try loss("multi-class-hinge").name == "multi-class-hinge")
    // From the environment and the command line too, a part or all of it.
    #expect(
      try loss("softmax-cross-entropy", [], ["LOCKSTEP_LOSS_LABEL_SMOOTHING": "0.1"]) == smooth)
    #expect(
      try loss("{name: softmax-cross-entropy}", ["loss.label-smoothing=0.1"]) == smooth)
    #expect(
      try loss("multi-class-hinge", ["loss={name: softmax-cross-entropy, label-smoothing: 0.1}"])
        == smooth)
  }

  @Test("settings read back, with every default")
  func readsBack() throws {
    let configuration = try ConfigurationFixture.read(
      settings: ["loss={name: softmax-cross-entropy, label-smoothing: 0.25}"])
    #expect(
      configuration.text.contains("loss: {name: softmax-cross-entropy, label-smoothing: 0.25}\n"))
    #expect(
      try TrainingConfiguration(yaml: configuration.text, name: "again.yaml").loss
        == configuration.loss)
  }

  @Test(
    "a loss that is not right is told what it needs",
    arguments: [
      ("squared", "unknown loss 'squared'; there are \(Loss.names.joined(separator: ", "))"),
      ("hubber", "unknown loss 'hubber'; did you mean 'huber'?"),
      ("{name: hubber}", "unknown loss 'hubber'; did you mean 'huber'?"),
      (
        "{name: huber, delta: 0}",
        "huber: delta: expected a number from 1e-06 to 1000000.0, found '0'"
      ),
      ("{name: huber, delt: 1}", "huber: unknown setting 'delt'; did you mean 'delta'?"),
      (
        "{delta: 1}",
        "expected \(Loss.names.joined(separator: " or ")), or a name with settings such as "
          + "{name: squared-error}, found a section"
      ),
      (
        "[huber]",
        "expected \(Loss.names.joined(separator: " or ")), or a name with settings such as "
          + "{name: squared-error}, found a list"
      ),
    ])
  func faults(loss: String, reason: String) {
    #expect(
      ConfigurationFixture.faults(adding: "loss: \(loss)\n") == ["c.yaml:5: loss: \(reason)"])
  }

  @Test("a fault of a setting has the setting's origin")
  func origins() {
    #expect(
      ConfigurationFixture.faults(
        adding: "loss:\n  name: huber\n  delta: x\n", settings: ["training.epochs=0"]
      )
      .first { $0.contains("loss") }?.hasPrefix("c.yaml:7: loss: huber: delta: expected") == true)
    #expect(
      ConfigurationFixture.faults(
        adding: "loss: huber\n", environment: ["LOCKSTEP_LOSS_DELTA": "x"]
      ).first?.hasPrefix("LOCKSTEP_LOSS_DELTA: loss: huber: delta: expected") == true)
  }
}
