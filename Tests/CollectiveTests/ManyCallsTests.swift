import Foundation
import Testing

@testable import Collective

extension ExecutionTests {
  /// Many calls, at once and one after the other, on ranks that keep different times.
  @Suite(.serialized) struct ManyCallsTests {
    @Test(
      "operations in flight do not mix, whatever they are and in whatever order ranks wait for them",
      arguments: Placement.allCases, [3, 6])
    func inFlight(placement: Placement, ranks: Int) throws {
      var options = ProcessGroup.Options()
      options.isCanonical = placement != .roundRobin
      options.segmentSize = 1024
      let floats = ExactCase(Float.self, ranks: ranks)
      let halves = ExactCase(Float16.self, ranks: ranks)
      let integers = ExactCase(Int64.self, ranks: ranks)
      try expectFaultless(
        ranks: ranks, node: { placement.node(of: $0, size: ranks) }, options: options
      ) { group in
        var jitter = Jitter(seed: group.rank)
        let a = try [1, 999, 20_011].map { try group.allocate(Float.self, count: $0) }
        let b = try [7, 4096, 9000].map { try group.allocate(Float16.self, count: $0) }
        let c = try [2, 70_001].map { try group.allocate(Int64.self, count: $0) }
        let methods: [AllreduceMethod?] = [nil, .schedule(.ring), .schedule(.doubleTree)]
        let other = UnsafeMutableBufferPointer<Float>.allocate(capacity: 501)
        defer { other.deallocate() }
        for call in 0..<10 {
          for buffer in a { floats.fill(buffer, rank: group.rank) }
          for buffer in b { halves.fill(buffer, rank: group.rank) }
          for buffer in c { integers.fill(buffer, rank: group.rank) }
          floats.fill(other, rank: group.rank)
          var operations: [CollectiveOperation] = []
          for (number, buffer) in a.enumerated() {
            operations.append(try group.startAllreduce(buffer, .sum, methods[(number + call) % 3]))
            jitter.rest()
          }
          for (number, buffer) in b.enumerated() {
            operations.append(
              try group.startAllreduce(buffer, .average, methods[(number + call) % 3]))
          }
          // A collective that waits, in the middle of others that have not been waited for.
          try group.broadcast(other, root: call % ranks)
          for buffer in c { operations.append(try group.startAllreduce(buffer, .maximum)) }
          for operation in jitter.shuffled(operations) {
            jitter.rest()
            try operation.wait()
          }
          guard a.allSatisfy({ floats.isResult($0) }),
            b.allSatisfy({ halves.isResult($0, of: .average) }),
            c.allSatisfy({ integers.isResult($0, of: .maximum) }),
            floats.isInput(other, of: call % ranks, in: 0..<501)
          else { return "call \(call)" }
        }
        return nil
      }
    }

    @Test(
      "ten thousand calls back to back all give the exact sum", arguments: Placement.allCases)
    func backToBack(placement: Placement) throws {
      let exact = ExactCase(Float.self, ranks: 4)
      var options = ProcessGroup.Options()
      options.isCanonical = false
      try expectFaultless(ranks: 4, node: { placement.node(of: $0, size: 4) }, options: options) {
        group in
        var jitter = Jitter(seed: group.rank)
        let memory = try group.allocate(Float.self, count: 100_003)
        let methods = AllreduceMethod.allCases
        for call in 0..<10_000 {
          // 4 B to 64 KB, most of them short, and a few large ones.
          let count = call % 1000 == 999 ? 100_003 : 1 << (call % 7) + call % 13
          let buffer = UnsafeMutableBufferPointer(
            rebasing: memory[..<(call % 100 == 50 ? 16_384 : count)])
          exact.fill(buffer, rank: group.rank)
          if call % 64 == group.rank { jitter.rest() }
          // The group's own choice, and all others in turn.
          try group.allreduce(
            buffer, .sum, call % 3 == 0 ? nil : methods[call % methods.count])
          guard exact.isResult(buffer) else { return "call \(call)" }
        }
        return nil
      }
    }
  }
}

/// What makes ranks keep different times, the same in every run.
private struct Jitter {
  private var state: UInt64

  init(seed: Int) { state = UInt64(seed + 1) &* 0x9e37_79b9_7f4a_7c15 }

  private mutating func next(below limit: Int) -> Int {
    // xorshift64 (Marsaglia, 2003)
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return Int(state >> 33) % limit
  }

  /// Up to a millisecond, every other time.
  mutating func rest() {
    if next(below: 2) == 0 { usleep(UInt32(next(below: 1000))) }
  }

  mutating func shuffled<Value>(_ values: [Value]) -> [Value] {
    var values = values
    for index in values.indices { values.swapAt(index, next(below: index + 1)) }
    return values
  }
}
