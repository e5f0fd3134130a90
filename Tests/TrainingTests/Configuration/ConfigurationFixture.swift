import Testing

@testable import Training

/// Configurations for tests, read under the name `c.yaml`.
enum ConfigurationFixture {
  /// Nothing but what must be there.
  static let minimal = """
    data:
      format: synthetic
      train: {samples: 100}
    model: [{dense: 10}]

    """

  static func read(
    _ yaml: String = minimal, settings: [String] = [], environment: [String: String] = [:]
  ) throws -> TrainingConfiguration {
    try TrainingConfiguration(
      yaml: yaml, name: "c.yaml", settings: settings, environment: environment)
  }

  /// The lines of the error that a configuration must give.
  static func faults(
    _ yaml: String = minimal, settings: [String] = [], environment: [String: String] = [:],
    at location: SourceLocation = #_sourceLocation
  ) -> [String] {
    let error = #expect(throws: ConfigurationError.self, sourceLocation: location) {
      _ = try read(yaml, settings: settings, environment: environment)
    }
    return error?.description.split(separator: "\n").map(String.init) ?? []
  }

  /// The lines for `minimal` and more.
  static func faults(
    adding more: String, settings: [String] = [], environment: [String: String] = [:],
    at location: SourceLocation = #_sourceLocation
  ) -> [String] {
    faults(minimal + more, settings: settings, environment: environment, at: location)
  }
}
