import Foundation
import TestSupport
import Testing

extension ProductTests {
  /// `lockstep bench step`.
  struct BenchStepTests {
    private static let configuration = """
      data: {format: synthetic, features: [8, 8], classes: 5, train: {samples: 100}}
      model: [{conv: {filters: 4, kernel: 3}}, relu, {max-pool: 2}, flatten, {dense: 17}, relu, {dense: 5}]
      optimizer: {learning-rate: 0.05, momentum: 0.9}
      training: {batch-size: 32}
      output: run
      """

    @Test("a step is listed layer by layer, with what no layer has behind")
    func table() throws {
      let folder = try TemporaryDirectory()
      let config = try folder.file("config.yaml", BenchStepTests.configuration)
      let result = try Launching.alone(
        ["bench", "step", config, "--batch", "16", "--steps", "4"], directory: folder.path)
      #expect(result.status == 0, "\(result.errors)")
      let lines = result.output.split(separator: "\n").map(String.init)
      for line in [
        "step       \(config), 16 samples, ", "time       median over 4 steps",
        "repeat     lockstep bench step \(config) --batch 16 --steps 4",
      ] { #expect(lines.contains { $0.hasPrefix("# \(line)") }, "\(line)") }
      let rows = lines.filter { !$0.hasPrefix("#") }
      #expect(
        rows[0].split(separator: " ", omittingEmptySubsequences: true).prefix(3)
          == ["layer", "kind", "output"])
      let kinds = rows.dropFirst(2).prefix(7).map { $0.split(separator: " ")[1] }
      #expect(kinds == ["conv", "relu", "max-pool", "flatten", "dense", "relu", "dense"])
      let others = rows.dropFirst(9).prefix(5).map { String($0.split(separator: " ")[0]) }
      #expect(others == ["data", "loss", "allreduce", "optimizer", "step"])
      #expect(rows.last?.hasSuffix(" samples/s") == true)
      // Nothing is left behind.
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["config.yaml"])
    }

    @Test("JSON has one object a line: header, parts and total")
    func json() throws {
      let folder = try TemporaryDirectory()
      let config = try folder.file("config.yaml", BenchStepTests.configuration)
      for accumulate in [1, 2] {
        let result = try Launching.alone([
          "bench", "step", config, "--steps", "3", "--json", "-", "--set",
          "training.accumulate=\(accumulate)",
        ])
        #expect(result.status == 0, "\(result.errors)")
        let objects = try result.output.split(separator: "\n").map {
          try JSONSerialization.jsonObject(with: Data($0.utf8)) as! [String: Any]
        }
        let parts = objects.filter { $0["event"] as? String == "part" }
        #expect(objects.map { $0["event"] as! String }.first == "header")
        #expect(objects.map { $0["event"] as! String }.last == "total")
        #expect(parts.count == 7 + 4 && objects.count == parts.count + 2)
        #expect(objects[0]["batch"] as? Int == 32 && objects[0]["steps"] as? Int == 3)
        #expect(abs(parts.reduce(0) { $0 + ($1["share"] as! Double) } - 1) < 1e-9)
        #expect(parts.allSatisfy { $0["microseconds"] as! Double >= 0 })
        // Forward, the convolution does what the layer behind it would do: there is nothing to time.
        #expect(parts[1]["forward-microseconds"] == nil && parts[1]["backward-microseconds"] != nil)
        for (index, part) in parts.enumerated() {
          #expect((part["gflops"] != nil) == [0, 4, 6].contains(index), "\(part)")
        }
        let total = objects.last!
        #expect(total["samples-per-second"] as! Double > 0 && total["gflops"] as! Double > 0)
        let times = ["minimum-microseconds", "median-microseconds", "p95-microseconds"].map {
          total[$0] as! Double
        }
        #expect(times == times.sorted())
      }
    }

    @Test("a batch larger than the data is what the data have")
    func largeBatch() throws {
      let folder = try TemporaryDirectory()
      let config = try folder.file("config.yaml", BenchStepTests.configuration)
      let result = try Launching.alone(
        ["bench", "step", config, "--batch", "1000", "--steps", "1"])
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.output.contains(", 100 samples, "))
    }

    @Test(
      "what cannot be measured is refused",
      arguments: [
        (["--steps", "0"], 64), (["--batch", "0"], 64), (["--batch", "x"], 64), (["more"], 64),
        (["--set", "nonsense=1"], 64), (["--set", "model=[{dense: 3}]"], 65),
        (["--json", "/nowhere/x"], 73),
      ] as [([String], Int32)])
    func refused(words: [String], code: Int32) throws {
      let folder = try TemporaryDirectory()
      let config = try folder.file("config.yaml", BenchStepTests.configuration)
      let result = try Launching.alone(["bench", "step", config] + words)
      #expect(result.status == code, "\(result.errors)")
      #expect(result.output.isEmpty && !result.errors.isEmpty)
    }

    @Test("under mpirun, the allreduce of every bucket is listed once for all ranks")
    func ranks() throws {
      let folder = try TemporaryDirectory()
      let config = try folder.file("config.yaml", BenchStepTests.configuration)
      let words = [
        Launching.lockstep, "bench", "step", config, "--steps", "3", "--set",
        "collective.bucket-bytes=2000",
      ]
      let result = try Launching.mpirun(2, words)
      #expect(result.status == 0, "\(result.errors)")
      let lines = result.output.split(separator: "\n").map(String.init)
      #expect(lines.contains { $0.hasSuffix("; 2 ranks on 1 node") })
      #expect(lines.contains { $0.contains("bench step \(config) -n 2 --steps 3 --set") })
      let allreduce = lines.firstIndex { $0.contains("  allreduce  ") }!
      #expect(
        lines[allreduce + 1].contains("bucket 0") && lines[allreduce + 2].contains("bucket 1"))

      let json = try Launching.mpirun(2, words + ["--json", "-"])
      let objects = try json.output.split(separator: "\n").map {
        try JSONSerialization.jsonObject(with: Data($0.utf8)) as! [String: Any]
      }
      let parts = objects.filter { $0["event"] as? String == "part" }
      let buckets = objects.filter { $0["event"] as? String == "bucket" }
      #expect(objects[0]["ranks"] as? Int == 2 && objects[0]["nodes"] as? Int == 1)
      #expect(abs(parts.reduce(0) { $0 + ($1["share"] as! Double) } - 1) < 1e-9)
      // The slab goes into buckets once, its tail included.
      let parameters = objects[0]["parameters"] as! Int
      #expect(buckets.reduce(0) { $0 + ($1["bytes"] as! Int) } >= 4 * parameters)
      let whole = parts.first { $0["kind"] as? String == "allreduce" }!["microseconds"] as! Double
      #expect(buckets.reduce(0) { $0 + ($1["microseconds"] as! Double) } <= whole + 1e-6)
    }

    @Test("-n starts the ranks, and refuses to be another number than mpirun's")
    func launched() throws {
      let folder = try TemporaryDirectory()
      let config = try folder.file("config.yaml", BenchStepTests.configuration)
      let words = ["bench", "step", config, "-n", "2", "--steps", "2"]
      let dry = try Launching.alone(words, environment: ["DRY_RUN": "1"])
      #expect(dry.status == 0 && dry.output.hasPrefix("mpirun "), "\(dry.errors)")
      #expect(dry.output.contains("bench step \(config) -n 2 --steps 2"))
      let wrong = try Launching.mpirun(3, [Launching.lockstep] + words)
      #expect(wrong.status == 64 && wrong.errors.contains("mpirun has started 3 ranks"))
    }

    @Test("a configuration that is not there")
    func missing() throws {
      let missing = try Launching.alone(["bench", "step", "/nowhere/config.yaml"])
      #expect(missing.status == 66, "\(missing.errors)")
      let ranks = try Launching.mpirun(
        2, [Launching.lockstep, "bench", "step", "/nowhere/config.yaml"])
      #expect(ranks.status == 66, "\(ranks.errors)")
    }
  }
}
