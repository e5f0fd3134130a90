import Collective
import Foundation
import Kernels
import TestSupport
import Testing

@testable import Training

/// Small, with a short last batch (300 = 4 x 64 + 44) and a test set.
private let classification = """
  data: {format: synthetic, features: 20, classes: 5, train: {samples: 300}, test: {samples: 90}}
  model: [{dense: 17}, relu, {dense: 5}]
  optimizer: {learning-rate: 0.05, momentum: 0.9, weight-decay: 0.001}
  training: {epochs: 3, batch-size: 64}
  log: {every-steps: 1}
  """

@Test("any number of ranks up to the shards ends with the same parameters and losses, bit for bit")
func sameBits() throws {
  let one = try TrainedRun(yaml: classification, ranks: 1)
  #expect(one.summaries[0].steps == 15)
  for ranks in 2...8 {
    let run = try TrainedRun(yaml: classification, ranks: ranks)
    for summary in run.summaries {
      #expect(summary.parameterSha256 == one.summaries[0].parameterSha256)
      #expect(summary.testLoss == one.summaries[0].testLoss)
      #expect(summary.testAccuracy == one.summaries[0].testAccuracy)
      #expect(summary.replicasEqual)
    }
    #expect(try run.stepLosses() == one.stepLosses())
  }
  // Another seed ends elsewhere: the comparison can fail.
  let other = try TrainedRun(yaml: classification, settings: ["training.seed=2"], ranks: 1)
  #expect(other.summaries[0].parameterSha256 != one.summaries[0].parameterSha256)
}

/// Sums over the batch, random numbers, state and blocks.
private let normalized = """
  data: {format: synthetic, features: [2, 10], classes: 5, train: {samples: 300},
         test: {samples: 90}}
  model:
    - batch-norm
    - {dense: 17}
    - {residual: [{dense: 17}, batch-norm, relu, {dropout: 0.3}]}
    - {residual: {layers: [{dense: 12}, layer-norm, gelu], shortcut: [{dense: 12}, {dropout: 0.1}]}}
    - {dense: 5}
  loss: {name: softmax-cross-entropy, label-smoothing: 0.1}
  optimizer: {learning-rate: 0.05, momentum: 0.9}
  training: {epochs: 3, batch-size: 64}
  log: {every-steps: 1}
  """

@Test("batch normalization, dropout and blocks end the same on any number of ranks, bit for bit")
func sameBitsOfLayers() throws {
  let one = try TrainedRun(yaml: normalized, ranks: 1)
  let state = try one.bytes("model.safetensors")
  for ranks in 2...8 {
    let run = try TrainedRun(yaml: normalized, ranks: ranks)
    for summary in run.summaries {
      #expect(summary.parameterSha256 == one.summaries[0].parameterSha256)
      #expect(summary.testLoss == one.summaries[0].testLoss)
      #expect(summary.testAccuracy == one.summaries[0].testAccuracy)
      #expect(summary.replicasEqual)
    }
    #expect(try run.stepLosses() == one.stepLosses())
    // Running statistics are in it.
    #expect(try run.bytes("model.safetensors") == state)
  }
  let header = String(decoding: state.prefix(4096), as: UTF8.self)
  #expect(header.contains("\"0.batch-norm.running-mean\""))
  #expect(header.contains("\"2.1.batch-norm.running-variance\""))
  #expect(one.summaries[0].trainLoss! < 1.3, "it learns: 1.6 is a guess")
}

/// Work enough for threads to share it: products, convolutions and their gradients, pooling, dropout,
/// sums and normalization of columns, and the update.
private let wide = """
  data: {format: synthetic, features: [20, 20], classes: 5, train: {samples: 300},
         test: {samples: 150}}
  model:
    - {conv: {filters: 16, kernel: 5}}
    - batch-norm
    - relu
    - {max-pool: 2}
    - {dropout: 0.3}
    - {dense: 96}
    - gelu
    - {dense: 5}
  optimizer: {learning-rate: 0.05, momentum: 0.9}
  training: {epochs: 2, batch-size: 128, shards: 4}
  log: {every-steps: 1}
  """

/// Dense layers alone, with another optimizer and layer normalization.
private let widePerceptron = """
  data: {format: synthetic, features: 300, classes: 5, train: {samples: 600}}
  model: [{dense: 300}, layer-norm, relu, {dropout: 0.2}, {dense: 200}, tanh, {dense: 5}]
  optimizer: {name: adam, learning-rate: 0.001}
  training: {epochs: 2, batch-size: 256, accumulate: 2}
  log: {every-steps: 1}
  """

@Test(
  "any number of threads on any number of ranks ends the same, bit for bit",
  arguments: [wide, widePerceptron])
func sameBitsOfThreads(yaml: String) throws {
  let one = try TrainedRun(yaml: yaml, ranks: 1)
  #expect(try one.events("start")[0]["threads"] == nil)
  for (ranks, threads) in [(1, 2), (1, 3), (2, 2)] {
    let run = try TrainedRun(
      yaml: yaml, settings: ["training.threads=\(threads)"], ranks: ranks)
    #expect(try run.events("start")[0]["threads"] as? Int == threads)
    for summary in run.summaries {
      #expect(summary.parameterSha256 == one.summaries[0].parameterSha256)
      #expect(summary.testLoss == one.summaries[0].testLoss)
      #expect(summary.replicasEqual)
    }
    #expect(try run.stepLosses() == one.stepLosses())
  }
}

@Test("sums over the batch and buckets under way do not get into each other's way")
func sumsBetweenBuckets() throws {
  let one = try TrainedRun(yaml: normalized, ranks: 1)
  for bytes in [4, 2000] {
    let run = try TrainedRun(
      yaml: normalized, settings: ["collective.bucket-bytes=\(bytes)"], ranks: 4)
    #expect(run.summaries[0].parameterSha256 == one.summaries[0].parameterSha256)
  }
}

@Test("dropout and blocks in several passes are as in one, bit for bit")
func layersInPasses() throws {
  let model =
    "model=[{dense: 17}, {residual: [{dense: 17}, layer-norm, relu, {dropout: 0.3}]}, {dense: 5}]"
  let one = try TrainedRun(yaml: normalized, settings: [model], ranks: 1)
  for (ranks, passes) in [(1, 4), (2, 2), (2, 4), (3, 2)] {
    let run = try TrainedRun(
      yaml: normalized, settings: [model, "training.accumulate=\(passes)"], ranks: ranks)
    #expect(run.summaries[0].parameterSha256 == one.summaries[0].parameterSha256)
    #expect(try run.stepLosses() == one.stepLosses())
  }
}

@Test("a layer that needs the whole batch at once refuses passes")
func wholeBatches() throws {
  let failure = #expect(throws: JointFailure.self) {
    _ = try TrainedRun(yaml: normalized, settings: ["training.accumulate=2"], ranks: 2)
  }
  #expect(failure?.exitCode == ExitStatus.usage)
  #expect(
    failure?.description == "training.accumulate: layer 0 (batch-norm) needs the whole batch at "
      + "once, not in 2 passes: set it to 1, or take layer-norm")
}

@Test(
  "what is not reproducible agrees to rounding, and keeps its replicas equal",
  arguments: [classification, normalized], [3, 5, 6])
func notReproducible(yaml: String, ranks: Int) throws {
  let one = try TrainedRun(yaml: yaml, ranks: 1)
  let run = try TrainedRun(
    yaml: yaml, settings: ["training.reproducible=false"], ranks: ranks)
  #expect(run.areReplicasEqual)
  #expect(Set(run.summaries.map(\.parameterSha256)).count == 1)
  #expect(run.summaries[0].parameterSha256 != one.summaries[0].parameterSha256)
  for (a, b) in zip(try run.stepLosses(), try one.stepLosses()) { #expect(abs(a - b) < 1e-3 * b) }
}

@Test("shards and their tree are for the reproducible: without, any number of ranks has work")
func moreRanksThanShards() throws {
  let settings = ["training.shards=2"]
  let failure = #expect(throws: JointFailure.self) {
    _ = try TrainedRun(yaml: classification, settings: settings, ranks: 3)
  }
  #expect(failure?.exitCode == ExitStatus.usage)
  #expect(
    failure?.description
      == "training.shards: 2 shards cannot be shared by 3 ranks: raise it to a power of two of at "
      + "least 3, or set training.reproducible to false")
  let run = try TrainedRun(
    yaml: classification, settings: settings + ["training.reproducible=false"], ranks: 3)
  #expect(run.areReplicasEqual)
}

@Test(
  "a ring, small buckets and large ones give the same sums", arguments: ["ring", "tree", "auto"])
func algorithms(algorithm: String) throws {
  let one = try TrainedRun(yaml: classification, ranks: 1)
  for bytes in [4, 600, 1 << 20] {
    let run = try TrainedRun(
      yaml: classification,
      settings: [
        "training.reproducible=false", "collective.algorithm=\(algorithm)",
        "collective.bucket-bytes=\(bytes)",
      ], ranks: 4)
    #expect(run.areReplicasEqual)
    for (a, b) in zip(try run.stepLosses(), try one.stepLosses()) { #expect(abs(a - b) < 1e-4 * b) }
  }
}

@Test("a batch's loss is the exact mean over unequal parts")
func unequalParts() throws {
  // Weights start at random, so compare with the mean over samples, computed one by one: batches of
  // 1 at learning rate 0 see every sample's own loss.
  let yaml = """
    data: {format: inline, train: {features: [1, 2, 3, 4, 5], targets: [2, 4, 7, 8, 1]}}
    model: [{dense: 1}]
    loss: squared-error
    optimizer: {learning-rate: 0}
    training: {shuffle: false}
    log: {every-steps: 1}
    """
  let single = try TrainedRun(yaml: yaml, settings: ["training.batch-size=1"], ranks: 1)
  let losses = try single.stepLosses()
  #expect(losses.count == 5)
  for ranks in [1, 2, 3, 4] {
    let run = try TrainedRun(yaml: yaml, settings: ["training.batch-size=4"], ranks: ranks)
    let steps = try run.stepLosses()
    #expect(steps.count == 2)
    #expect(abs(steps[0] - losses[..<4].reduce(0, +) / 4) < 1e-5 * steps[0])
    #expect(abs(steps[1] - losses[4]) < 1e-6 * steps[1])
  }
}

@Test("training stops at a number of steps, at a target loss, at a target accuracy")
func stopping() throws {
  func run(_ settings: [String]) throws -> RunSummary {
    try TrainedRun(yaml: classification, settings: settings, ranks: 2).summaries[1]
  }
  let steps = try run(["training.max-steps=7"])
  #expect(steps.steps == 7 && steps.epochs == 2 && steps.status == "completed")
  let whole = try run(["training.epochs=40"])
  #expect(whole.steps == 200 && whole.epochs == 40 && whole.status == "completed")
  let loss = try run(["training.epochs=40", "training.target-loss=1.0"])
  #expect(loss.status == "target-loss" && loss.steps < 200 && loss.trainLoss! <= 1.0)
  let accuracy = try run(["training.epochs=40", "training.target-accuracy=0.6"])
  #expect(accuracy.status == "target-accuracy" && accuracy.testAccuracy! >= 0.6)
  #expect(accuracy.steps < 200)
}

@Test("a run directory holds what is promised")
func runDirectory() throws {
  let run = try TrainedRun(yaml: classification, settings: ["log.every-steps=2"], ranks: 2)
  #expect(
    try FileManager.default.contentsOfDirectory(atPath: run.path).sorted()
      == ["checkpoints", "config.yaml", "metrics.jsonl", "model.safetensors", "summary.json"])

  let events = try run.events()
  #expect(events.first?["event"] as? String == "start")
  #expect(events.first?["ranks"] as? Int == 2)
  #expect(events.first?["hosts"] as? [String] == ["host0", "host1"])
  #expect(events.last?["event"] as? String == "end")
  let steps = try run.events("step")
  #expect(steps.map { $0["step"] as! Int } == [2, 4, 6, 8, 10, 12, 14, 15])
  #expect(steps.map { $0["epoch"] as! Int } == [1, 1, 2, 2, 2, 3, 3, 3])
  #expect(steps.last!["samples"] as! Int == 900)
  for step in steps {
    for key in ["loss", "learning-rate", "seconds", "samples-per-second"] {
      #expect(step[key] is Double)
    }
  }
  #expect(try run.events("evaluation").count == 3)

  let summary = try JSONSerialization.jsonObject(with: run.bytes("summary.json")) as! [String: Any]
  #expect(summary["parameter-sha256"] as? String == run.summaries[0].parameterSha256)
  #expect((summary["peak-rss-bytes"] as! [Int]).count == 2)
  let shares = ["compute-share", "communication-share", "data-share"].map { summary[$0] as! Double }
  #expect(abs(shares.reduce(0, +) - 1) < 1e-6)

  // The configuration that was written is the configuration that ran.
  let again = try TrainedRun(file: run.path + "/config.yaml", ranks: 1)
  #expect(again.summaries[0].parameterSha256 == run.summaries[0].parameterSha256)
}

@Test("a second run moves the first aside")
func movesAside() throws {
  let folder = try TemporaryDirectory()
  let file = try folder.file("test.yaml", classification)
  let settings = ["output=\(folder.path)/run", "training.epochs=1"]
  let first = try TrainedRun.train(file: file, settings: settings, ranks: 1)
  let second = try TrainedRun.train(
    file: file, settings: settings + ["training.seed=9"], ranks: 1)
  #expect(first[0].parameterSha256 != second[0].parameterSha256)
  for (name, summary) in [("run.1", first[0]), ("run", second[0])] {
    let text = try String(contentsOfFile: "\(folder.path)/\(name)/summary.json", encoding: .utf8)
    #expect(text.contains(summary.parameterSha256))
  }
}

@Test("what only one rank finds wrong stops all, and is told with its rank")
func refusedByOne() throws {
  let folder = try TemporaryDirectory()
  let file = try folder.file("test.yaml", classification)
  let output = folder.path + "/run"
  do {
    _ = try LoopbackTransport.run(ranks: 3) { transport -> RunSummary in
      let world = try World(transport, host: "host\(transport.rank)", carrier: "loopback")
      // Rank 1 alone asks for kernels that do not exist.
      let program = Program(
        version: "test", commit: "none",
        environment: transport.rank == 1 ? ["LOCKSTEP_KERNELS": "mmx"] : [:], isQuiet: true)
      let configuration = try readConfiguration(
        file: file, settings: ["output=\(output)"], world: world, program: program)
      return try train(configuration, world: world, program: program)
    }
    Issue.record("the run was not refused")
  } catch let error as JointFailure {
    #expect(error.exitCode == 64)
    #expect(error.description.hasPrefix("[1/3 host1] LOCKSTEP_KERNELS=mmx: no such kernel set"))
  }
  #expect(!FileManager.default.fileExists(atPath: output))
}

@Test("ranks with different kernels take the newest that all have, say so, and get its bits")
func mixedKernels() throws {
  let folder = try TemporaryDirectory()
  let file = try folder.file("test.yaml", classification)
  func train(baselineRanks: Set<Int>, _ name: String) throws -> (RunSummary, [String]) {
    let output = "\(folder.path)/\(name)"
    let summaries = try LoopbackTransport.run(ranks: 3) { transport in
      let world = try World(transport, host: "host\(transport.rank)", carrier: "loopback")
      let program = Program(
        version: "test", commit: "none",
        environment: baselineRanks.contains(transport.rank)
          ? ["LOCKSTEP_KERNELS": "baseline"] : [:],
        isQuiet: true)
      let settings = ["collective.tuning=rules", "output=\(output)"]
      let configuration = try readConfiguration(
        file: file, settings: settings, world: world, program: program)
      return try Training.train(configuration, world: world, program: program)
    }
    #expect(Set(summaries.map(\.parameterSha256)).count == 1)
    let warnings = try TrainedRun.events(in: output).filter {
      $0["event"] as! String == "warning"
    }
    return (summaries[0], warnings.map { $0["message"] as! String })
  }
  let (mixed, warnings) = try train(baselineRanks: [1], "mixed")
  let (uniform, none) = try train(baselineRanks: [0, 1, 2], "uniform")
  #expect(mixed.kernels == "baseline" && mixed.parameterSha256 == uniform.parameterSha256)
  #expect(none.isEmpty)
  let newest = InstructionSet.supported.last!
  #expect(
    warnings
      == (newest == .baseline
        ? []
        : [
          "all ranks compute with baseline kernels, so that their bits agree: rank 1 on host1 is told "
            + "to take baseline, others would take \(newest)"
        ]))
}

@Test("a ring follows the shard tree on two ranks, and is refused on more where bits matter")
func ringOnTwo() throws {
  let tree = try TrainedRun(
    yaml: classification, settings: ["collective.algorithm=tree"], ranks: 2)
  let ring = try TrainedRun(
    yaml: classification, settings: ["collective.algorithm=ring"], ranks: 2)
  #expect(ring.summaries[0].parameterSha256 == tree.summaries[0].parameterSha256)
  do {
    _ = try TrainedRun(yaml: classification, settings: ["collective.algorithm=ring"], ranks: 4)
    Issue.record("a ring on four ranks was accepted")
  } catch let error as JointFailure {
    #expect(error.exitCode == ExitStatus.usage)
    #expect(error.description.contains("set training.reproducible to false"))
  }
}

@Test(
  "what auto chose is recorded once for each size class, by rules, measurements or a table",
  arguments: ["rules", "measure", "table"])
func recordedChoices(tuning: String) throws {
  let folder = try TemporaryDirectory()
  let entries = [TuningTable.Entry(bytes: 4, method: .schedule(.direct), microseconds: 10)]
  let table = TuningTable(
    conditions: .init(
      ranks: 2, ranksPerNode: [1, 1], sharesMemory: true, mpi: "none", kernels: "baseline",
      elementWidth: 4), canonical: entries, anyOrder: entries)
  let path = try folder.file("table.json", String(decoding: table.json(), as: UTF8.self))
  let run = try TrainedRun(
    yaml: classification, settings: ["collective.tuning=\(tuning == "table" ? path : tuning)"],
    ranks: 2)
  #expect(run.areReplicasEqual)
  let messages = try run.events("allreduce-choice").map { $0["message"] as! String }
  let reason = ["rules": "(rules)", "measure": "(model: ", "table": "direct (table: 10 us)"][
    tuning]!
  // Two nodes meet piece by piece; what is left to choose is the schedule between them.
  let all = messages.filter { $0.hasPrefix("allreduce of ") }
  let between = messages.filter { $0.hasPrefix("between nodes, ") }
  let measured = messages.filter { $0.hasPrefix("links measured in ") }
  // Even with a table, for the way between nodes.
  #expect(measured.count == (tuning == "rules" ? 0 : 1), "\(messages)")
  #expect(
    !all.isEmpty && measured.count + all.count + between.count == messages.count, "\(messages)")
  if tuning == "table" {
    #expect(all.allSatisfy { $0.contains(reason) } && between.isEmpty, "\(messages)")
  } else {
    #expect(all.allSatisfy { $0.hasSuffix(": hierarchical (piece by piece)") }, "\(messages)")
    #expect(!between.isEmpty && between.allSatisfy { $0.contains(reason) }, "\(messages)")
  }
  #expect(Set(messages.map { $0.prefix { $0 != ":" } }).count == messages.count, "\(messages)")
}

@Test("a table that is missing or malformed ends the run before it begins")
func uselessTables() throws {
  let folder = try TemporaryDirectory()
  for (path, code) in [
    (folder.path + "/none", ExitStatus.missingInput),
    (try folder.file("text", "{}"), ExitStatus.badData),
  ] {
    let failure = #expect(throws: JointFailure.self) {
      _ = try TrainedRun(
        yaml: classification, settings: ["collective.tuning=\(path)"], ranks: 2)
    }
    #expect(failure?.exitCode == code)
    #expect(failure?.description.hasPrefix(path) == true, "\(String(describing: failure))")
  }
}
