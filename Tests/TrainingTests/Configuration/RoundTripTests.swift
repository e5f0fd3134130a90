import Foundation
import NN
import Testing
import TestSupport

@testable import Training

@Suite("the resolved configuration reads back")
struct RoundTripTests {
  /// Reads a configuration's own text and compares.
  private func check(
    _ configuration: TrainingConfiguration, at location: SourceLocation = #_sourceLocation
  ) throws {
    let again = try TrainingConfiguration(yaml: configuration.text, name: "again.yaml")
    #expect(again.text == configuration.text, sourceLocation: location)
    #expect(again.model == configuration.model, sourceLocation: location)
    #expect(again.loss == configuration.loss, sourceLocation: location)
    #expect(again.optimizer == configuration.optimizer, sourceLocation: location)
    #expect(again.output == configuration.output, sourceLocation: location)
    #expect(again.epochs == configuration.epochs, sourceLocation: location)
    #expect(again.targetLoss == configuration.targetLoss, sourceLocation: location)
    #expect(again.seed == configuration.seed, sourceLocation: location)
    #expect("\(again.data.train)" == "\(configuration.data.train)", sourceLocation: location)
    #expect(
      "\(String(describing: again.data.test))" == "\(String(describing: configuration.data.test))",
      sourceLocation: location)
    // Comments do not change what is said.
    let annotated = try TrainingConfiguration(yaml: configuration.annotatedText, name: "a.yaml")
    #expect(annotated.text == configuration.text, sourceLocation: location)
  }

  static let examples =
    (try? FileManager.default.contentsOfDirectory(
      atPath: Location.package + "/Examples"))?.filter { $0.hasSuffix(".yaml") }.sorted() ?? []

  @Test("there are examples")
  func thereAreExamples() { #expect(RoundTripTests.examples.count >= 2) }

  @Test("every example is a good configuration, and reads back", arguments: examples)
  func example(name: String) throws {
    try check(TrainingConfiguration(file: "\(Location.package)/Examples/\(name)"))
  }

  @Test("the defaults read back")
  func defaults() throws { try check(ConfigurationFixture.read()) }

  @Test("no value is its default, and all read back")
  func everything() throws {
    let configuration = try ConfigurationFixture.read(
      """
      data:
        {format: synthetic, features: [3, 1, 7], classes: 9, seed: 9223372036854775807,
         train: {samples: 12}, test: {samples: 2147483648}, normalize: none}
      model: [{dense: 3}, relu, {dense: 9}]
      optimizer: {learning-rate: 1.0e-7, momentum: 0.1, weight-decay: 1e-5,
                  schedule: {name: cosine, warmup-steps: 3}}
      training: {epochs: 7, max-steps: 9, target-loss: -1e-300, target-accuracy: 0.875,
                 batch-size: 31, shards: 32, threads: 3, seed: 0, reproducible: no, shuffle: off}
      collective: {algorithm: ring, tuning: "tables/two nodes.json", bucket-bytes: 0x1000}
      log: {every-steps: 4}
      output: /tmp/x
      """)
    #expect(configuration.targetLoss == -1e-300)
    #expect(configuration.bucketBytes == 4096)
    #expect(configuration.tuning == .table("tables/two nodes.json"))
    #expect(!configuration.isReproducible && !configuration.shuffles)
    #expect(configuration.optimizer.specification.values[number: "momentum"] == 0.1)
    try check(configuration)
  }

  @Test("inline numbers of any size read back to the bit")
  func inlineNumbers() throws {
    let configuration = try ConfigurationFixture.read(
      """
      data: {format: inline, train:
        {features: [[0.1, -0.0, 1e-45], [3.4028235e38, 16777217, 1e20]], targets: [1e-7, -3]}}
      model: [{dense: 1}]
      loss: squared-error
      """)
    guard case .inlineValues(let features, _) = configuration.data.train else {
      Issue.record("no values")
      return
    }
    #expect(features[0][2] == .leastNonzeroMagnitude)
    #expect(features[1][0] == .greatestFiniteMagnitude)
    try check(configuration)
  }

  @Test(
    "texts that YAML could take for something else read back as they are",
    arguments: [
      "plain", "runs/with spaces", " leading", "trailing ", "it's", "\"quoted\"", "a'b\"c", "yes",
      "No", "on", "true", "null", "NULL", "Null", "~", "1e3", "12", "0x1F", "0o7", "1_000", ".inf",
      ".nan", "inf", "nan", "12:30", "-", "-dash", "--- ", "...", "# no comment", "a # b", "a: b",
      "a:", ":", "[list]", "{map: 1}", "*alias", "&anchor", "!tag", "!!int 3", "%x", "@x", "`x`",
      "|", ">", "?", "? x", "<<", "=", ",", "a,b", "2024-01-01", "tschüß/日本語", "😀", "e\u{301}",
      "a\nb", "a\n\n b\n", "tab\there", "\r\n", "bell\u{7}", "del\u{7F}", "\u{85}", "\u{2028}",
      "a\u{FEFF}b", "\\", "\\n", "C:\\x", "a\u{A0}b", "\u{1}\"\\\u{2}", "½", "٣",
    ])
  func awkward(text: String) throws {
    // Through the parser, as --set with everything escaped.
    let escaped = text.unicodeScalars.map { scalar in
      let digits = String(scalar.value, radix: 16)
      return "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
    }.joined()
    let configuration = try ConfigurationFixture.read(settings: ["output=\"\(escaped)\""])
    #expect(configuration.output.unicodeScalars.elementsEqual(text.unicodeScalars))
    try check(configuration)
    let again = try TrainingConfiguration(yaml: configuration.text, name: "again.yaml")
    #expect(again.output.unicodeScalars.elementsEqual(text.unicodeScalars))
    // One entry, one line.
    #expect(
      configuration.text.filter(\.isNewline).count
        == (try ConfigurationFixture.read()).text.filter(\.isNewline).count)
  }

  @Test("an empty text reads back")
  func emptyText() throws {
    let configuration = try ConfigurationFixture.read(settings: ["output=''"])
    #expect(configuration.output.isEmpty)
    try check(configuration)
  }
}
