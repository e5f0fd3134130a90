import Foundation
import Kernels
import TestSupport
import Testing

extension ProductTests {
  /// `lockstep bench kernels`.
  @Suite(.serialized) struct BenchKernelsTests {
    private static let small = ["bench", "kernels", "--budget", "0.001", "--only", "128x10"]

    @Test("a table for each kernel set has the peak, and every kernel with its share of it")
    func table() throws {
      let result = try Launching.alone(BenchKernelsTests.small)
      #expect(result.status == 0, "\(result.errors)")
      let lines = result.output.split(separator: "\n").map(String.init)
      let sets = InstructionSet.supported.map(\.rawValue)
      for name in [
        "machine ", "kernels    \(sets.joined(separator: ", "))",
        "repeat     lockstep bench kernels --kernels \(sets.joined(separator: ",")) "
          + "--only '128x10' --budget 0.001",
      ] { #expect(lines.contains { $0.hasPrefix("# \(name)") }, "\(name)") }
      for set in sets {
        #expect(lines.contains { $0.hasPrefix("# \(set): ") && $0.contains(" GFLOP/s by ") })
      }
      let tables = lines.filter { $0.hasPrefix("group ") }
      #expect(tables.count == sets.count)
      let rows = lines.filter { !$0.hasPrefix("#") && !$0.hasPrefix("group ") }
      for kernel in ["product", "product/packed", "softmax", "softmaxCrossEntropy"] {
        let own = rows.filter { $0.split(separator: " ")[1] == kernel }
        #expect(own.count >= sets.count, "\(kernel)")
        #expect(own.allSatisfy { $0.hasSuffix(" 0") }, "wrong elements: \(own)")
      }
    }

    @Test("JSON has one object a line: header, then peak and results of each kernel set")
    func json() throws {
      let folder = try TemporaryDirectory()
      let file = folder.path + "/kernels.jsonl"
      let words = BenchKernelsTests.small + ["--kernels", "baseline"]
      let piped = try Launching.alone(words + ["--json", "-"])
      #expect(piped.status == 0, "\(piped.errors)")
      let written = try Launching.alone(words + ["--json", file])
      #expect(written.status == 0 && written.output.contains("group "), "\(written.errors)")
      for text in [piped.output, try String(contentsOfFile: file, encoding: .utf8)] {
        let objects = try text.split(separator: "\n").map {
          try JSONSerialization.jsonObject(with: Data($0.utf8)) as! [String: Any]
        }
        let results = objects.dropFirst(2)
        #expect(objects.prefix(2).map { $0["event"] as? String } == ["header", "peak"])
        #expect(objects[0]["benchmark"] as? String == "kernels")
        #expect(objects[1]["gflops"] as! Double > 0)
        #expect(!results.isEmpty)
        for result in results {
          #expect(result["event"] as? String == "result" && result["wrong"] as? Int == 0)
          #expect(result["kernels"] as? String == "baseline")
          #expect((result["shape"] as! String).hasPrefix("128x10"))
          for key in ["median-microseconds", "bandwidth", "share"] {
            #expect(result[key] as! Double > 0, "\(key)")
          }
          let limit = result["limit"] as! String
          #expect(limit == "fma" || limit.hasPrefix("copy "))
          let isProduct = result["group"] as? String == "product"
          #expect(!isProduct || result["gflops"] as! Double > 0)
        }
      }
    }

    @Test("LOCKSTEP_KERNELS chooses the kernel set where no option does")
    func environment() throws {
      let result = try Launching.alone(
        BenchKernelsTests.small, environment: ["LOCKSTEP_KERNELS": "baseline"])
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.output.contains("# kernels    baseline\n"))
      let unknown = try Launching.alone(
        BenchKernelsTests.small, environment: ["LOCKSTEP_KERNELS": "mmx"])
      #expect(unknown.status == 64 && unknown.errors.contains("mmx"), "\(unknown.errors)")
    }

    @Test(
      "what cannot be measured is refused",
      arguments: [
        ["--kernels", "mmx"], ["--kernels", "baseline,baseline"], ["--only", "nothing-like-it"],
        ["--budget", "0"], ["--budget", "nan"], ["--budget", "61"], ["nonsense"],
      ])
    func refused(words: [String]) throws {
      let result = try Launching.alone(["bench", "kernels"] + words)
      #expect(result.status == 64, "\(result.errors)")
      #expect(result.output.isEmpty)
    }

    @Test("a file that cannot be written is refused before anything is measured")
    func unwritable() throws {
      let result = try Launching.alone(BenchKernelsTests.small + ["--json", "/nowhere/x"])
      #expect(result.status == 73)
      #expect(result.errors.contains("/nowhere/x: the file cannot be written"), "\(result.errors)")
    }
  }
}
