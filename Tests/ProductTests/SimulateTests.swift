import Foundation
import TestSupport
import Testing

extension ProductTests {
  /// `lockstep simulate`.
  @Suite(.serialized) struct SimulateTests {
    @Test("simulate predicts 4,096 ranks, fastest first, in a table")
    func table() throws {
      let result = try Launching.alone([
        "simulate", "--ranks", "4096", "--bytes", "64K,100M", "--algorithm", "halving-doubling",
        "--alpha", "2us", "--bandwidth", "100Gbit/s", "--ranks-per-node", "64",
      ])
      #expect(result.status == 0, "\(result.errors)")
      let lines = result.output.split(separator: "\n")
      #expect(
        lines[0].split(separator: " ").joined(separator: " ")
          == "ranks bytes algorithm time algbw GB/s busbw GB/s rounds bytes/rank bytes/link order")
      let rows = lines.dropFirst().map { $0.split(separator: " ").map(String.init) }
      #expect(rows.map { $0[1] } == ["65536", "65536", "104857600", "104857600"])
      #expect(
        Set(rows.map { $0[2] }) == ["halving-doubling", "shared-window+halving-doubling"])
      #expect(rows.allSatisfy { $0[0] == "4096" && $0.last == "canonical" })
    }

    @Test("simulate's JSON has every figure, sorted by time")
    func json() throws {
      let result = try Launching.alone([
        "simulate", "--ranks", "6,8", "--bytes", "8K", "--alpha", "1us", "--bandwidth", "1GB/s",
        "--gamma", "0ns", "--json",
      ])
      #expect(result.status == 0, "\(result.errors)")
      let rows =
        try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as! [[String: Any]]
      for ranks in [6, 8] {
        let seconds = rows.filter { $0["ranks"] as? Int == ranks }.map { $0["seconds"] as! Double }
        #expect(seconds.count > 3 && seconds == seconds.sorted())
      }
      // 14 rounds of 1 us and 1 KiB.
      let ring = try #require(
        rows.first { $0["algorithm"] as? String == "ring" && $0["ranks"] as? Int == 8 })
      let seconds = 14 * (1e-6 + 1024e-9)
      #expect(abs(ring["seconds"] as! Double - seconds) < 1e-15)
      #expect(abs(ring["algbw"] as! Double - 8192 / seconds) < 1)
      #expect(abs(ring["busbw"] as! Double - 1.75 * 8192 / seconds) < 1)
      #expect(ring["rounds"] as? Int == 14)
      #expect(ring["messages"] as? Int == 112)
      #expect(ring["bytes-per-rank"] as? Int == 14 * 1024)
      #expect(ring["bytes-per-node-link"] as? Int == 14 * 1024)
      #expect(ring["canonical"] as? Bool == false)
    }

    @Test("links, arithmetic and segments that are slower or coarser make the answer slower")
    func options() throws {
      func seconds(_ options: [String]) throws -> Double {
        let result = try Launching.alone(
          [
            "simulate", "--ranks", "8", "--bytes", "1M", "--algorithm", "ring", "--ranks-per-node",
            "4", "--segment", "4K", "--json",
          ] + options)
        #expect(result.status == 0, "\(result.errors)")
        let rows =
          try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as! [[String: Any]]
        return rows.first { $0["algorithm"] as? String == "ring" }!["seconds"] as! Double
      }
      let base = try seconds([])
      for slower in [
        ["--alpha", "9us"], ["--bandwidth", "1GB/s"], ["--intra-alpha", "9us"],
        ["--intra-bandwidth", "1GB/s"], ["--reduce-bandwidth", "1GB/s"], ["--gamma", "1ns"],
        ["--placement", "round-robin"], ["--segment", "1M"],
      ] { #expect(try seconds(slower) > base, "\(slower)") }
    }

    @Test(
      "what cannot be read is refused with what can",
      arguments: [
        (["--ranks", "0"], "'0' is not a number of ranks from 1 to 16384"),
        (["--ranks", "4,x"], "'x' is not a number of ranks from 1 to 16384"),
        (["--bytes", "10"], "'10' is not a multiple of 4 bytes"),
        (["--bytes", "5MB"], "'MB' is not a unit of a size"),
        (["--alpha", "3"], "'3' has no unit; the units are ns, us, ms, s"),
        (["--bandwidth", "3Gb"], "'Gb' is not a unit of a bandwidth"),
        (["--algorithm", "rign"], "the algorithms are all, ring, "),
        (["--ranks-per-node", "0"], "--ranks-per-node: at least one"),
        (["--segment", "0"], "--segment: at least one byte"),
        (["--gamma", "1ns", "--reduce-bandwidth", "1GB/s"], "say the same: give one of them"),
        (["--placement", "packed"], "--placement"),
      ] as [([String], String)])
    func refused(options: [String], message: String) throws {
      let result = try Launching.alone(["simulate"] + options)
      #expect(result.status == 64)
      #expect(result.errors.contains(message), "\(result.errors)")
      #expect(result.output.isEmpty)
    }

    @Test("the example of the help is the command's own")
    func help() throws {
      let result = try Launching.alone(["simulate", "--help"])
      #expect(result.status == 0)
      for text in ["Example:  lockstep simulate --ranks 4096", "default: 2us", "default: 12.5GB/s"]
      {
        #expect(result.output.contains(text))
      }
    }
  }
}
