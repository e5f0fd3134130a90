import ArgumentParser
import Experiments
import Foundation
import Training

/// `lockstep scale`: one configuration on several numbers of ranks.
struct Scale: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measures how training scales with the number of ranks.",
    discussion: """
      Runs alternate between the numbers of ranks. Leaves report.txt, report.csv and speedup.svg,
      and every run's directory.

      Example:  lockstep scale Examples/fashion-mnist-mlp.yaml --ranks 1,2,4 --repeats 3
      """)

  @Argument(help: "The configuration, a YAML file.")
  var config: String

  @Option(
    help: ArgumentHelp("Numbers of ranks.", valueName: "n,n,..."),
    transform: { text in
      let parts = text.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
      guard parts.allSatisfy({ Experiments.Launch.possibleRanks.contains($0 ?? 0) }) else {
        throw ValidationError("'\(text)' is not a list of numbers of ranks such as 1,2,4")
      }
      return parts.map { $0! }
    })
  var ranks: [Int] = [1, 2]

  @Option(
    help: "strong: the same batch for any number of ranks; weak: the same batch for every rank.")
  var mode: ScalingExperiment.Mode = .strong

  @Option(help: "Runs for each number of ranks.")
  var repeats = 3

  @Option(help: ArgumentHelp("Hosts and their slots, as mpirun reads them.", valueName: "file"))
  var hostfile: String?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp(
      "Sets a value of the configuration; repeat it for more.", valueName: "key.path=value"))
  var settings: [String] = []

  @Option(help: ArgumentHelp("Where the report goes.", valueName: "dir"))
  var output: String?

  func validate() throws {
    guard repeats > 0 else { throw ValidationError("--repeats: at least one run is needed") }
    guard Set(ranks).count == ranks.count else {
      throw ValidationError("--ranks: a number is there twice")
    }
  }

  func run() throws {
    try reportingErrors {
      let environment = ProcessInfo.processInfo.environment
      let configuration = try TrainingConfiguration(
        file: config, settings: settings, environment: environment)
      try check(configuration)
      let name = URL(fileURLWithPath: config).deletingPathExtension().lastPathComponent
      let path = output ?? "scaling/\(name)-\(mode.rawValue)"
      let experiment = ScalingExperiment(
        configuration: config, batchSize: configuration.batchSize, ranks: ranks,
        threads: configuration.threads, mode: mode,
        repeats: repeats, hostfile: hostfile,
        // What is measured is training; a run that fails is made again as a whole.
        options: (["checkpoint.every-steps=0"] + settings).flatMap { ["--set", $0] },
        directory: path, program: try ownPath())
      if isDryRun(environment) {
        for run in experiment.runs {
          say(experiment.launch(run).line(on: Machine.current, environment: environment))
        }
        return
      }
      let (directory, movedTo) = try OutputDirectory.create(path, marker: "runs")
      if let movedTo { say("earlier report moved to \(movedTo)") }
      try report(experiment, in: directory, environment: environment)
    }
  }

  /// Refuses before the first run what a later one would refuse.
  private func check(_ configuration: TrainingConfiguration) throws {
    for ranks in ranks {
      try Experiments.Launch(ranks: ranks, hostfile: hostfile, command: []).validate()
      var configuration = configuration
      if mode == .weak { configuration.batchSize *= ranks }
      try configuration.requireWork(forRanks: ranks)
    }
  }

  private func report(
    _ experiment: ScalingExperiment, in directory: OutputDirectory, environment: [String: String]
  ) throws {
    let machine = Machine.current
    var results: [RunResult] = []
    for (number, run) in experiment.runs.enumerated() {
      let result = try experiment.execute(run, on: machine, environment: environment)
      results.append(result)
      let rate = String(format: "%.0f", result.samplesPerSecond)
      say("run \(number + 1)/\(experiment.runs.count)  ranks \(run.ranks)  \(rate) samples/s")
      // After every turn, so that an experiment that is broken off leaves what it has.
      if (number + 1) % ranks.count == 0 {
        let report = ScalingReport(mode: mode, results: results)
        try directory.write(Data(report.text.utf8), to: "report.txt")
        try directory.write(Data(report.csv.utf8), to: "report.csv")
        try directory.write(Data(report.svg.utf8), to: "speedup.svg")
      }
    }
    say("\n" + ScalingReport(mode: mode, results: results).text)
    if Set(results.map(\.parameterHash)).count == 1 {
      say("all \(results.count) runs ended with the same parameters, bit for bit")
    }
    say("report \(directory.path)")
  }
}

extension ScalingExperiment.Mode: ExpressibleByArgument {}
