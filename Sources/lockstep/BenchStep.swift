import ArgumentParser
import Benchmarks
import Foundation
import MPI
import Training

/// `lockstep bench step`: where the time of a training step goes.
struct BenchStep: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "step",
    abstract: "Times a training step layer by layer, on one rank.",
    discussion: """
      The steps are those of training, with the data that the configuration names; no MPI is started \
      and nothing is written. Where there are no data, synthetic ones of the same shape do:
      --set 'data={format: synthetic, features: [28, 28], classes: 10, train: {samples: 4096}}'

      Example:  lockstep bench step Examples/fashion-mnist-mlp.yaml --batch 64
      """)

  @Argument(help: "The configuration, a YAML file.")
  var config: String

  @Option(
    help: ArgumentHelp(
      "Samples in a step, in place of training.batch-size.", valueName: "samples"))
  var batch: Int?

  @Option(help: ArgumentHelp("Steps to measure, after three to warm up.", valueName: "count"))
  var steps = 50

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp(
      "Sets a value of the configuration; repeat it for more.", valueName: "key.path=value"))
  var settings: [String] = []

  @Option(
    help: ArgumentHelp(
      "Writes one JSON object a line; to standard output, in place of the table, if -.",
      valueName: "file"))
  var json: String?

  func validate() throws {
    guard (1...1_000_000).contains(steps) else {
      throw ValidationError("--steps: \(steps) is not a number from 1 to 1000000")
    }
  }

  func run() throws {
    try reportingErrors {
      let environment = ProcessInfo.processInfo.environment
      guard !Session.isLaunched(environment: environment) else {
        throw TrainingError(
          ExitStatus.usage, "bench step measures one rank: start it without mpirun")
      }
      let configuration = try TrainingConfiguration(
        file: config, settings: settings + (batch.map { ["training.batch-size=\($0)"] } ?? []),
        environment: environment)
      try StepBenchmark(
        configuration, config: config, steps: steps,
        program: .current(words: words, environment: environment),
        output: .standard(json: json)
      ).run()
    }
  }

  /// Those that ask for the same measurement.
  private var words: [String] {
    ["bench", "step", config] + (batch.map { ["--batch", "\($0)"] } ?? [])
      + ["--steps", "\(steps)"] + settings.flatMap { ["--set", "'\($0)'"] }
  }
}
