import ArgumentParser
import Benchmarks
import Experiments
import Foundation
import MPI
import Training

/// `lockstep bench step`: where the time of a training step goes.
struct BenchStep: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "step",
    abstract: "Times a training step layer by layer.",
    discussion: """
      The steps are those of training, with the data that the configuration names, and nothing is \
      written. On several ranks, times are means over ranks, and the allreduce of every bucket of \
      gradients is listed too. Where there are no data, synthetic ones of the same shape do:
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

  @Option(
    name: .customShort("n", allowingJoined: true),
    help: "Ranks to start. Default: one. Under mpirun: those that mpirun has started.")
  var ranks: Int?

  func validate() throws {
    guard (1...1_000_000).contains(steps) else {
      throw ValidationError("--steps: \(steps) is not a number from 1 to 1000000")
    }
    if let ranks, ranks < 1 {
      throw ValidationError("-n: \(ranks) is not a number of ranks")
    }
  }

  func run() throws {
    try reportingErrors {
      let environment = ProcessInfo.processInfo.environment
      if let ranks, ranks > 1, !Session.isLaunched(environment: environment) {
        // A configuration with faults is reported by the ranks.
        let configuration = try? TrainingConfiguration(
          file: config, settings: settings, environment: environment)
        return try launchSelf(
          words(ranks: ranks) + (json.map { ["--json", $0] } ?? []), ranks: ranks,
          threads: configuration?.threads ?? 1, environment: environment)
      }
      try asRank { try run(on: $0, environment: environment) }
    }
  }

  private func run(on world: World, environment: [String: String]) throws {
    if let ranks, ranks != world.size {
      throw JointFailure(
        ExitStatus.usage,
        "-n \(ranks): mpirun has started \(world.size) ranks, which is its part")
    }
    let program = BenchmarkProgram.current(
      words: words(ranks: world.size).map(Experiments.Launch.quoted), environment: environment)
    let configuration = try readConfiguration(
      file: config, settings: settings + (batch.map { ["training.batch-size=\($0)"] } ?? []),
      world: world, program: .current(isQuiet: false))
    let benchmark = try StepBenchmark(
      configuration, config: config, steps: steps, world: world, program: program)
    try benchmark.run(
      output: world.isRoot
        ? .standard(json: json) : BenchmarkOutput(line: { _ in }, record: { _ in }))
  }

  /// Those that ask for the same measurement.
  private func words(ranks: Int) -> [String] {
    ["bench", "step", config] + (ranks > 1 ? ["-n", "\(ranks)"] : [])
      + (batch.map { ["--batch", "\($0)"] } ?? []) + ["--steps", "\(steps)"]
      + settings.flatMap { ["--set", $0] }
  }
}
