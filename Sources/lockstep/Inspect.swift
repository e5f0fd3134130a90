import ArgumentParser
import Experiments
import Foundation
import Training

/// `lockstep inspect`: what a model is made of and what it takes, without training it.
struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Prints a model's layers, shapes and parameters, and the memory that training takes.",
    discussion: """
      Shapes come from the data that the configuration names. Memory is that of the rank with the \
      most samples.

      Example:  lockstep inspect Examples/fashion-mnist-mlp.yaml -n 4
      """)

  @Argument(help: "The configuration, a YAML file.")
  var config: String

  @Option(
    name: .customShort("n", allowingJoined: true), help: "Ranks that share a batch.")
  var ranks = 1

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp(
      "Sets a value of the configuration; repeat it for more.", valueName: "key.path=value"))
  var settings: [String] = []

  func validate() throws {
    guard Experiments.Launch.possibleRanks.contains(ranks) else {
      throw ValidationError("-n: \(ranks) is not a number of ranks")
    }
  }

  func run() throws {
    try reportingErrors {
      let configuration = try TrainingConfiguration(
        file: config, settings: settings, environment: ProcessInfo.processInfo.environment)
      say(Inspect.text(try ModelInspection(configuration, ranks: ranks)))
    }
  }

  private static func text(_ model: ModelInspection) -> String {
    func count(_ value: Int) -> String { value == 0 ? "-" : "\(value)" }
    let input = ["", "input", model.inputShape.description, "-", "-"]
    let layers = model.layers.map {
      [$0.number, $0.kind, $0.outputShape.description, count($0.parameters), count($0.state)]
    }
    let totals = ["", "", "", count(model.parameters), count(model.state)]
    let table = TextTable(
      columns: ["layer", "kind", "output", "parameters", "state"],
      rows: [input] + layers + [totals],
      leading: [0, 1, 2])
    let need = model.memory
    let parts =
      [
        ("parameters", need.parameters), ("gradients", need.gradients),
        ("optimizer", need.optimizer), ("state", need.state), ("activations", need.activations),
        ("workspace", need.workspace), ("scratch", need.scratch), ("batches", need.batches),
      ] + [("data", need.data), ("checkpoint", need.checkpoint)].filter { $0.1 > 0 }
      + [("total", need.total)]
    let memory = TextTable(
      columns: ["memory", "per rank"],
      rows: parts.map { [$0.0, Quantity.text(bytes: $0.1)] }, leading: [0])
    var lines = [
      table.text, memory.text,
      "\(plural(model.ranks, "rank")), \(plural(model.rowsPerRank, "sample")) on a rank at most",
      allreduces(of: "gradients", model.bucketBytes),
    ]
    if !model.batchSumBytes.isEmpty {
      lines.append(allreduces(of: "sums over the batch", model.batchSumBytes))
    }
    return lines.joined(separator: "\n")
  }

  private static func plural(_ count: Int, _ word: String) -> String {
    "\(count) \(word)\(count == 1 ? "" : "s")"
  }

  private static func allreduces(of what: String, _ bytes: [Int]) -> String {
    "\(plural(bytes.count, "allreduce")) of \(what) a step: "
      + bytes.map { Quantity.text(bytes: Double($0)) }.joined(separator: ", ")
  }
}
