import Foundation
import TestSupport
import Testing

extension ProductTests {
  /// `lockstep train`, alone and under mpirun.
  @Suite(.serialized) struct TrainCommandTests {
    @Test("any number of ranks ends with the same parameters and losses")
    func ranks() throws {
      let folder = try TemporaryDirectory()
      let file = try folder.file("small.yaml", smallConfiguration)
      let alone = try Launching.alone(["train", file], directory: folder.path)
      #expect(alone.status == 0, "\(alone.errors)")
      #expect(alone.output.contains("lockstep 0.1.0: 1 rank on 1 node"))
      #expect(alone.output.contains("epoch 3/3  step 15  loss "))
      let reference = try LeftBehind(folder.path + "/run")
      for ranks in 1...4 {
        let output = "\(folder.path)/ranks-\(ranks)"
        let result = try Launching.mpirun(
          ranks, [Launching.lockstep, "train", file, "--output", output], directory: folder.path)
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.errors.isEmpty, "\(result.errors)")
        let left = try LeftBehind(output)
        #expect(left.summary["ranks"] as? Int == ranks)
        #expect(left.summary["replicas-equal"] as? Bool == true)
        #expect(left.hash == reference.hash)
        #expect(left.losses == reference.losses)
      }
    }

    @Test("threads do not show in the result; more than there are processors are warned of once")
    func threads() throws {
      let folder = try TemporaryDirectory()
      let file = try folder.file("small.yaml", smallConfiguration)
      var hashes: [String] = []
      for (ranks, threads) in [(1, 1), (2, 2), (2, 200)] {
        let output = "\(folder.path)/ranks-\(ranks)-threads-\(threads)"
        let result = try Launching.mpirun(
          ranks,
          [
            Launching.lockstep, "train", file, "--output", output, "--set",
            "training.threads=\(threads)",
          ], directory: folder.path)
        #expect(result.status == 0, "\(result.errors)")
        hashes.append(try LeftBehind(output).hash)
        if threads > 1 {
          #expect(
            result.output.contains("lockstep 0.1.0: \(ranks) ranks of \(threads) threads on 1 node")
          )
        }
        if threads == 200 {
          let warnings = result.errors.split(separator: "\n").filter { $0.contains("take turns") }
          #expect(warnings.count == 1, "\(result.errors)")
          #expect(warnings[0].hasPrefix("warning: 2 ranks with 200 threads each take turns on "))
        }
      }
      #expect(Set(hashes).count == 1)
    }

    @Test("sums over the batch go through MPI too: 1, 2, 3 and 4 ranks end with the same state")
    func sumsOverBatch() throws {
      let folder = try TemporaryDirectory()
      let file = try folder.file("small.yaml", smallConfiguration)
      let model =
        "model=[{dense: 17}, batch-norm, relu, {residual: [{dense: 17}, batch-norm, gelu, "
        + "{dropout: 0.3}]}, {dense: 5}]"
      var hashes: [String] = []
      for ranks in 1...4 {
        let output = "\(folder.path)/ranks-\(ranks)"
        let result = try Launching.mpirun(
          ranks,
          [Launching.lockstep, "train", file, "--output", output, "--set", model],
          directory: folder.path)
        #expect(result.status == 0, "\(result.errors)")
        let left = try LeftBehind(output)
        #expect(left.summary["replicas-equal"] as? Bool == true)
        hashes.append(left.hash)
      }
      #expect(Set(hashes).count == 1)
    }

    @Test("a model that does not fit the data is refused with one line on all ranks")
    func shapeError() throws {
      let folder = try TemporaryDirectory()
      let file = try folder.file("small.yaml", smallConfiguration)
      let result = try Launching.mpirun(
        2, [Launching.lockstep, "train", file, "--set", "model=[{residual: [{dense: 3}]}]"],
        directory: folder.path)
      #expect(result.status == 64)
      #expect(
        result.errors == "error: layer 0 (residual): needs layers that return the shape they get, "
          + "20, or a shortcut to theirs, got 3\n")
      #expect(!FileManager.default.fileExists(atPath: folder.path + "/run"))
    }

    @Test("alone, it starts no MPI")
    func startsNoMPI() throws {
      let folder = try TemporaryDirectory()
      let file = try folder.file("small.yaml", smallConfiguration)
      // With this, MPI cannot start.
      let broken = ["OMPI_MCA_pml": "none-such"]
      let alone = try Launching.alone(
        ["train", file], environment: broken, directory: folder.path)
      #expect(alone.status == 0, "\(alone.errors)")
      let launched = try Launching.mpirun(
        1, [Launching.lockstep, "train", file], environment: broken, directory: folder.path)
      #expect(launched.status != 0)
    }

    @Test("settings come from the file, the environment and the command line, in this order")
    func precedence() throws {
      let folder = try TemporaryDirectory()
      let file = try folder.file("small.yaml", smallConfiguration)
      let result = try Launching.alone(
        ["train", file, "--print-config", "--set", "training.seed=7"],
        environment: ["LOCKSTEP_TRAINING_EPOCHS": "9", "LOCKSTEP_TRAINING_SEED": "8"],
        directory: folder.path)
      #expect(result.status == 0)
      func line(_ key: String) -> [String] {
        result.output.split(separator: "\n").last { $0.contains(" \(key):") }?
          .split(separator: "#").map { $0.trimmingCharacters(in: .whitespaces) } ?? []
      }
      #expect(line("epochs") == ["epochs: 9", "LOCKSTEP_TRAINING_EPOCHS"])
      #expect(line("seed") == ["seed: 7", "--set"])
      #expect(line("batch-size") == ["batch-size: 64", "\(file):4"])
      #expect(line("shards") == ["shards: 8", "default"])
      #expect(!FileManager.default.fileExists(atPath: folder.path + "/run"))
    }

    @Test(
      "help is there for every command",
      arguments: [[], ["train"], ["launch"], ["scale"], ["inspect"]])
    func help(command: [String]) throws {
      let result = try Launching.alone(command + ["--help"])
      #expect(result.status == 0)
      #expect(result.output.contains(command.isEmpty ? "SUBCOMMANDS" : "Example:"))
    }
  }
}
