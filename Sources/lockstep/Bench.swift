import ArgumentParser

/// `lockstep bench`: how fast the parts are.
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measures how fast the parts of a training step are.",
    subcommands: [BenchAllreduce.self, BenchKernels.self, BenchStep.self])
}
