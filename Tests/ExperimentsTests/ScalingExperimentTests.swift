import Testing
import TestSupport

@testable import Experiments

@Suite("the runs of a scaling experiment")
struct ScalingExperimentTests {
  private func experiment(_ mode: ScalingExperiment.Mode) -> ScalingExperiment {
    ScalingExperiment(
      configuration: "c.yaml", batchSize: 32, ranks: [1, 2, 4], mode: mode, repeats: 3,
      hostfile: "hosts", options: ["--set", "training.epochs=2"], directory: "out",
      program: "/bin/lockstep")
  }

  @Test("every repetition goes once through all numbers of ranks")
  func interleaved() {
    let runs = experiment(.strong).runs
    #expect(runs.map(\.ranks) == [1, 2, 4, 1, 2, 4, 1, 2, 4])
    #expect(runs.map(\.repetition) == [1, 1, 1, 2, 2, 2, 3, 3, 3])
    #expect(Set(runs.map(\.directory)).count == 9)
    #expect(runs[4].directory == "out/runs/ranks-2-repeat-2")
  }

  @Test("strong scaling keeps the global batch, weak scaling the batch of a rank")
  func batches() {
    for (mode, batches) in [
      (ScalingExperiment.Mode.strong, [32, 32, 32]), (.weak, [32, 64, 128]),
    ] {
      let experiment = experiment(mode)
      let found = experiment.runs.prefix(3).map { run -> String? in
        experiment.launch(run).command.first { $0.hasPrefix("training.batch-size=") }
      }
      #expect(found == batches.map { "training.batch-size=\($0)" })
    }
  }

  @Test("a run's line has the options, then the batch, then a directory of its own")
  func launch() {
    let experiment = experiment(.weak)
    let launch = experiment.launch(experiment.runs[1])
    #expect(launch.ranks == 2)
    #expect(launch.hostfile == "hosts")
    #expect(
      launch.command == [
        "/bin/lockstep", "train", "c.yaml", "--set", "training.epochs=2", "--set",
        "training.batch-size=64", "--output", "out/runs/ranks-2-repeat-1",
      ])
  }

  @Test("a failed run is described with its exit code, its last line and its log")
  func failure() {
    let runs = experiment(.strong).runs
    #expect(
      RunFailed(run: runs[0], exitCode: 65, lastLine: "error: f: bad").description
        == "the run on 1 rank, repeat 1, ended with 65: error: f: bad\n"
        + "its output is in out/runs/ranks-1-repeat-1.log")
    #expect(
      RunFailed(run: runs[5], exitCode: 1, lastLine: "x").description
        .hasPrefix("the run on 4 ranks, repeat 2, "))
  }
}
