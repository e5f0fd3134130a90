import Collective
import Foundation
import TestSupport
import Testing

extension ProductTests {
  /// `lockstep bench allreduce`.
  @Suite(.serialized) struct BenchTests {
    private static let small = ["bench", "allreduce", "--budget", "0.01"]

    @Test("a benchmark that is asked to end says nothing of ranks that do, and gives the signal")
    func ended() throws {
      let folder = try TemporaryDirectory()
      let script = """
        "$@" > table & job=$!
        while ! grep -qs memcpy table; do kill -0 $job || exit 1; sleep 0.1; done
        kill -TERM $job; wait $job
        """
      let result = try Command(
        ["sh", "-c", script, "-", Launching.lockstep, "bench", "allreduce", "-n", "2"]
          + ["--sizes", "4:1M:2", "--budget", "0.05"], directory: folder.path
      ).run()
      #expect(result.status == 128 + SIGTERM && result.errors.isEmpty, "\(result.errors)")
    }

    @Test(
      "a benchmark checks and times every candidate at every size",
      arguments: Thoroughness.cases(
        [(2, "rotating"), (3, "cached")], everyday: [(2, "rotating")]))
    func table(ranks: Int, buffers: String) throws {
      let result = try Launching.mpirun(
        ranks,
        [Launching.lockstep] + BenchTests.small
          + [
            "--sizes", "4:40004:100", "--algorithms", "ring,hierarchical", "--ops",
            "sum,average", "--buffers", buffers,
          ])
      #expect(result.status == 0, "\(result.errors)")
      let lines = result.output.split(separator: "\n").map(String.init)
      let header = lines.filter { $0.hasPrefix("# ") }
      for name in [
        "machine ", "kernels ", "ranks      \(ranks) on 1 node: ", "binding ",
        "mpi        Open MPI ",
        "buffers    \(buffers)",
        "repeat     lockstep bench allreduce -n \(ranks) --sizes 4:40004:100 ",
      ] { #expect(header.contains { $0.hasPrefix("# \(name)") }, "\(name)") }
      let heading = lines.first { $0.contains("algbw") }?.split(separator: " ").map(String.init)
      let mode = ["time", "algbw", "busbw", "#wrong"]
      #expect(
        heading == ["#", "size", "count", "type", "redop", "candidate"] + mode + mode + ["stream"])

      let rows = lines.filter { !$0.hasPrefix("#") }.map {
        $0.split(separator: " ").map(String.init)
      }
      let candidates =
        ["auto/window", "auto/private", "ring/private"]
        + ["hierarchical/window", "hierarchical/private"]
        + ["mpi/default", "mpi/basic-linear", "mpi/nonoverlapping", "mpi/recursive-doubling"]
        + ["mpi/ring", "mpi/segmented-ring", "mpi/rabenseifner", "memcpy"]
      let results = rows.filter { $0.count == 14 }
      #expect(results.count == 6 * candidates.count)
      for (index, row) in results.enumerated() {
        let turn = index / candidates.count
        #expect(row[0] == ["4", "400", "40000"][turn % 3])
        #expect(Int(row[1])! * 4 == Int(row[0])!)
        #expect(Array(row[2...3]) == ["float32", turn < 3 ? "sum" : "average"])
        #expect(row[4] == candidates[index % candidates.count])
        #expect(row[8] == "0", "wrong elements: \(row)")
        let numbers = row.dropFirst(5)
        if row[4] == "memcpy" {
          #expect(Array(row[9...12]) == ["-", "-", "-", "-"])
        } else {
          #expect(numbers.allSatisfy { Double($0) != nil }, "\(row)")
          #expect(row[12] == "0", "wrong elements: \(row)")
        }
      }
      // Ours that choose by size, against the fastest of MPI's.
      let ratios = rows.filter { $0.count == 8 }
      #expect(ratios.map { $0[3] } == (0..<6).flatMap { _ in ["auto/window", "auto/private"] })
      #expect(ratios.allSatisfy { Double($0[4])! >= 0 && $0[5].hasPrefix("mpi/") })
      #expect(rows.count == results.count + ratios.count)
    }

    @Test("every type and reduction is checked", arguments: ["auto", "mpi"])
    func types(transport: String) throws {
      let types = ["float32", "float64", "float16", "bfloat16", "int32", "int64"]
      let operations = ["sum", "average", "minimum", "maximum", "product"]
      let result = try Launching.mpirun(
        3,
        [Launching.lockstep] + BenchTests.small + [
          "--sizes", "8:8K:32", "--against", "default", "--buffers", "cached", "--transport",
          transport, "--types", types.joined(separator: ","), "--ops",
          operations.joined(separator: ","), "--json", "-",
        ])
      #expect(result.status == 0, "\(result.errors)")
      let results = try result.output.split(separator: "\n").map {
        try JSONSerialization.jsonObject(with: Data($0.utf8)) as! [String: Any]
      }.filter { $0["event"] as? String == "result" }
      for type in types {
        for operation in operations {
          let names = results.filter {
            $0["type"] as? String == type && $0["redop"] as? String == operation
          }.map { $0["candidate"] as! String }
          // MPI has no 16-bit floats; without shared memory there is no window.
          let expected =
            (transport == "auto" ? ["auto/window"] : []) + ["auto/private"]
            + (type.hasSuffix("float16") ? [] : ["mpi/default"]) + ["memcpy"]
          #expect(names == (0..<3).flatMap { _ in expected }, "\(type) \(operation)")
        }
      }
    }

    @Test(
      "without the comparison of calls our choice is timed as well", arguments: ["auto", "mpi"])
    func unchecked(transport: String) throws {
      let result = try Launching.alone(
        BenchTests.small + [
          "-n", "2", "--sizes", "64:40K:640", "--against", "default", "--buffers", "cached",
          "--transport", transport, "--unchecked", "--json", "-",
        ])
      #expect(result.status == 0, "\(result.errors)")
      let records = try result.output.split(separator: "\n").map {
        try JSONSerialization.jsonObject(with: Data($0.utf8)) as! [String: Any]
      }
      let names = records.filter { $0["event"] as? String == "result" }
        .map { $0["candidate"] as! String }
      let expected =
        (transport == "auto" ? ["auto/window"] : [])
        + ["auto/private", "auto/private/unchecked", "mpi/default", "memcpy"]
      #expect(names == (0..<2).flatMap { _ in expected })
      #expect((records[0]["command"] as? String)?.hasSuffix(" --unchecked") == true)

      let refused = try Launching.alone(["bench", "allreduce", "--unchecked", "--tune", "t.json"])
      #expect(refused.status == 64 && refused.errors.contains("leave out --unchecked"))
    }

    @Test("started alone it starts mpirun, and writes JSON")
    func json() throws {
      let folder = try TemporaryDirectory()
      let words =
        BenchTests.small + ["-n", "2", "--sizes", "64:1K:16", "--against", "default"]
      let piped = try Launching.alone(words + ["--buffers", "cached", "--json", "-"])
      #expect(piped.status == 0, "\(piped.errors)")
      let file = folder.path + "/results.jsonl"
      let written = try Launching.alone(words + ["--json", file])
      #expect(written.status == 0, "\(written.errors)")
      #expect(written.output.contains("candidate"))
      for text in [piped.output, try String(contentsOfFile: file, encoding: .utf8)] {
        let objects = try text.split(separator: "\n").map {
          try JSONSerialization.jsonObject(with: Data($0.utf8)) as! [String: Any]
        }
        let kinds = objects.map { $0["event"] as! String }
        #expect(
          kinds == ["header"] + Array(repeating: "result", count: 8)
            + Array(repeating: "comparison", count: 4))
        #expect(objects[0]["ranks"] as? Int == 2)
        #expect(objects[0]["buffers"] as? String == (text == piped.output ? "cached" : "rotating"))
        let mode = try #require(objects[1]["in-place"] as? [String: Any])
        #expect(mode["wrong"] as? Int == 0)
        let times = ["minimum-microseconds", "median-microseconds", "p95-microseconds"].map {
          mode[$0] as! Double
        }
        #expect(times == times.sorted())
      }
    }

    @Test(
      "what cannot be measured is refused before any rank is started",
      arguments: [
        ["--sizes", "64K:4"], ["--sizes", "4:2G"], ["--types", "float33"], ["--ops", "sum,sum"],
        ["--algorithms", "star"], ["--transport", "pigeon"], ["--against", "nobody"],
        ["--buffers", "cold"], ["--budget", "0"], ["--budget", "nan"], ["--sizes", "1:3"],
        ["-n", "0"], ["nonsense"], ["--tune", "t", "--types", "float32,float64"],
        ["--tune", "t", "--ops", "sum,minimum"], ["--tune", "t", "--algorithms", "ring"],
        ["--predict", "--buffers", "rotating"],
      ])
    func refused(words: [String]) throws {
      let result = try Launching.alone(["bench", "allreduce"] + words)
      #expect(result.status == 64, "\(result.errors)")
      #expect(result.output.isEmpty)
    }

    @Test("a number of ranks that mpirun has not started, and a file that cannot be written")
    func refusedByRanks() throws {
      let ranks = try Launching.mpirun(2, [Launching.lockstep] + BenchTests.small + ["-n", "3"])
      #expect(ranks.status == 64)
      #expect(ranks.errors.components(separatedBy: "error: -n 3").count == 2, "\(ranks.errors)")
      let json = try Launching.alone(BenchTests.small + ["-n", "2", "--json", "/nowhere/x"])
      #expect(json.status == 73)
      #expect(json.errors.contains("/nowhere/x: the file cannot be written"), "\(json.errors)")
      let table = try Launching.alone(BenchTests.small + ["-n", "2", "--tune", "/nowhere/x"])
      #expect(table.status == 73)
      #expect(table.errors.contains("/nowhere/x: the file cannot be written"), "\(table.errors)")
    }

    @Test("a tuning table that a benchmark wrote is what training on as many ranks goes by")
    func tuning() throws {
      let folder = try TemporaryDirectory()
      let path = folder.path + "/table.json"
      let tuned = try Launching.alone(
        BenchTests.small + ["-n", "2", "--sizes", "4:4K:32", "--tune", path])
      #expect(tuned.status == 0, "\(tuned.errors)")
      #expect(tuned.output.hasSuffix("# table      \(path)\n"))
      #expect(!tuned.output.contains("mpi/"), "MPI takes part only where it is asked for")
      let table = try TuningTable(contentsOf: path)
      #expect(table.conditions.ranksPerNode == [2] && table.conditions.sharesMemory)
      #expect(table.conditions.elementWidth == 4)
      #expect(table.canonical.map(\.bytes) == [4, 128, 4096])
      #expect(table.anyOrder.map(\.bytes) == [4, 128, 4096])

      let configuration = try folder.file("config.yaml", smallConfiguration)
      let train = [
        Launching.lockstep, "train", configuration, "--set", "collective.tuning=\(path)",
      ]
      let run = try Launching.mpirun(2, train + ["--output", folder.path + "/two"])
      #expect(run.status == 0, "\(run.errors)")
      #expect(!run.errors.contains("tuning table"), "\(run.errors)")
      let lines = run.output.split(separator: "\n").filter { $0.hasPrefix("allreduce of ") }
      #expect(!lines.isEmpty && lines.allSatisfy { $0.contains(" (table: ") }, "\(run.output)")

      let other = try Launching.mpirun(3, train + ["--output", folder.path + "/three"])
      #expect(other.status == 0, "\(other.errors)")
      let warning =
        "warning: the tuning table is not used: it is of 2 ranks on 1 node, and here are 3 ranks on "
        + "1 node\n"
      #expect(other.errors.components(separatedBy: warning).count == 2, "\(other.errors)")
      #expect(other.output.contains(": hierarchical (shared memory)\n"), "\(other.output)")
    }

    @Test("predictions stand beside the times that they are of, and are counted")
    func predictions() throws {
      let words =
        BenchTests.small + ["-n", "2", "--sizes", "4:4K:32", "--against", "none", "--predict"]
        + ["--algorithms", "ring,tree,hierarchical"]
      let table = try Launching.alone(words)
      #expect(table.status == 0, "\(table.errors)")
      let lines = table.output.split(separator: "\n").map(String.init)
      #expect(lines.contains { $0.hasPrefix("#") && $0.hasSuffix("stream  predicted   ratio") })
      #expect(lines.contains { $0.hasPrefix("# buffers    cached") })
      for line in lines where !line.hasPrefix("#") {
        let row = line.split(separator: " ").map(String.init)
        let isPredicted = ["ring/private", "tree/private"].contains(row[4])
        #expect(row.count == (isPredicted ? 16 : 14), "\(line)")
      }
      #expect(lines.last?.hasPrefix("# predictions within 25 %: ") == true)
      #expect(lines.last?.hasSuffix(" of 6 points") == true)

      let json = try Launching.alone(words + ["--json", "-"])
      #expect(json.status == 0, "\(json.errors)")
      let objects = try json.output.split(separator: "\n").map {
        try JSONSerialization.jsonObject(with: Data($0.utf8)) as! [String: Any]
      }
      var good = 0
      let predicted = objects.filter { $0["predicted-microseconds"] != nil }
      #expect(predicted.count == 6)
      for object in predicted {
        let ratio = try #require(object["predicted-by-measured"] as? Double)
        let inPlace = try #require(object["in-place"] as? [String: Any])
        let measured = try #require(inPlace["median-microseconds"] as? Double)
        let time = try #require(object["predicted-microseconds"] as? Double)
        #expect(time > 0 && abs(ratio - time / measured) < 1e-9 * ratio)
        if abs(ratio - 1) <= 0.25 { good += 1 }
      }
      #expect(objects.last?["event"] as? String == "predictions")
      #expect(objects.last?["points"] as? Int == 6)
      #expect(objects.last?["good"] as? Int == good)
    }

    @Test("where algorithms cannot be forced, it is said")
    func unforced() throws {
      let result = try Launching.mpirun(
        2, [Launching.lockstep] + BenchTests.small,
        environment: ["OMPI_MCA_coll_tuned_use_dynamic_rules": "0"])
      #expect(result.status == 64)
      #expect(result.errors.contains("cannot be made to use an algorithm"), "\(result.errors)")
    }

    @Test("a dry run prints the line, with every value")
    func dryRun() throws {
      let result = try Launching.alone(
        ["bench", "allreduce", "-n", "4", "--sizes", "1K", "--json", "a b"],
        environment: ["DRY_RUN": "1"])
      #expect(result.status == 0)
      #expect(result.output.hasPrefix("mpirun -n 4 "))
      #expect(
        result.output.hasSuffix(
          " bench allreduce -n 4 --sizes 1K:1K:4 --types float32 --ops sum --transport auto "
            + "--against all --buffers rotating --budget 2 --json 'a b'\n"), "\(result.output)")
    }
  }
}
