import Foundation
import Testing

@testable import Collective

extension ExecutionTests {
  /// Ranks that do not make the same calls, or do not come: an error that names them, never a hang.
  @Suite(.serialized) struct CallFaultTests {
    enum Joining: CaseIterable {
      case sharedMemory, messages, twoNodes

      func node(of rank: Int) -> Int {
        switch self {
        case .sharedMemory: 0
        case .messages: rank
        case .twoNodes: rank / 2
        }
      }
    }

    /// What the last of four ranks does differently; the calls as errors name them, without the
    /// algorithm.
    enum Difference: CaseIterable {
      case count, manyElements, type, operation, customOperation, collective, root, algorithm, order

      var calls: (usual: String, odd: String) {
        switch self {
        case .count: ("allreduce(4 x float32, sum)", "allreduce(5 x float32, sum)")
        case .manyElements: ("allreduce(90000 x float32, sum)", "allreduce(90001 x float32, sum)")
        case .type: ("allreduce(4 x float32, sum)", "allreduce(4 x int32, sum)")
        case .operation: ("allreduce(4 x float32, sum)", "allreduce(4 x float32, maximum)")
        case .customOperation: ("allreduce(4 x float32, custom", "allreduce(4 x float32, custom")
        case .collective: ("allreduce(4 x float32, sum)", "reduce-scatter(4 x float32, sum)")
        case .root: ("broadcast(4 x float32, root 0)", "broadcast(4 x float32, root 2)")
        case .algorithm:
          ("allreduce(4 x float32, sum) by tree", "allreduce(4 x float32, sum) by ring")
        case .order: ("allreduce(4 x float32, sum)", "allgather(4 x float32)")
        }
      }

      func call(_ group: ProcessGroup, isOdd: Bool) throws {
        let floats = try group.allocate(Float.self, count: 90_001)
        func first(_ count: Int) -> UnsafeMutableBufferPointer<Float> {
          UnsafeMutableBufferPointer(rebasing: floats[..<count])
        }
        switch self {
        case .count: try group.allreduce(first(isOdd ? 5 : 4))
        case .manyElements: try group.allreduce(first(isOdd ? 90_001 : 90_000))
        case .type:
          if isOdd {
            var integers: [Int32] = [1, 2, 3, 4]
            try integers.withUnsafeMutableBufferPointer { try group.allreduce($0) }
          } else {
            try group.allreduce(first(4))
          }
        case .operation: try group.allreduce(first(4), isOdd ? .maximum : .sum)
        case .customOperation:
          try group.allreduce(
            first(4), isOdd ? .custom("first") { a, _ in a } : .custom("last") { $1 })
        case .collective:
          if isOdd { try group.reduceScatter(first(4)) } else { try group.allreduce(first(4)) }
        case .root: try group.broadcast(first(4), root: isOdd ? 2 : 0)
        case .algorithm:
          try group.allreduce(first(4), .sum, .schedule(isOdd ? .ring : .tree))
        case .order:
          if isOdd { try group.allgather(first(4)) }
          try group.allreduce(first(4))
          if !isOdd { try group.allgather(first(4)) }
        }
      }
    }

    @Test(
      "ranks that call differently are told so, both by number and both calls by name",
      arguments: Joining.allCases, Difference.allCases)
    func mismatch(joining: Joining, difference: Difference) {
      let error = #expect(throws: CallMismatch.self) {
        try run(joining, timeLimit: 30) { try difference.call($0, isOdd: $0.rank == 3) }
      }
      guard let error else { return }
      #expect(error.ranks.0 == 3 || error.ranks.1 == 3)
      #expect(error.ranks.0 != error.ranks.1)
      let usual = error.ranks.0 == 3 ? error.ranks.1 : error.ranks.0
      let (text, calls) = (error.description, difference.calls)
      #expect(text.contains("rank 3 called \(calls.odd)"))
      #expect(text.contains("rank \(usual) called \(calls.usual)"))
    }

    @Test("a rank that does not arrive in time is named, and no other", arguments: [3, 30_000])
    func missing(count: Int) throws {
      let errors = try errorsOfAllJoinings(timeLimit: 5) { group in
        try allreduceOnes(group, count: count)
        if group.rank == 2 { try stayAway(group) }
        try allreduceOnes(group, count: count)
      }
      for error in errors {
        let error = try #require(error as? RankMissing)
        #expect(error.absentees == [2])
        #expect(error.call.hasPrefix("allreduce(\(count) x float32, sum)"))
        #expect(error.description.contains("rank 2 has not arrived in allreduce(\(count)"))
      }
    }

    @Test("a rank that does not come to the making of memory, or asks for less, is named")
    func allocation() throws {
      let missing = try errorsOfAllJoinings(timeLimit: 5) { group in
        if group.rank == 2 { try stayAway(group) }
        _ = try group.allocate(Float.self, count: 7)
      }
      for error in missing {
        let error = try #require(error as? RankMissing)
        #expect(error.absentees == [2])
        #expect(error.call == "allocate(7 x float32)")
      }
      let different = try errorsOfAllJoinings(timeLimit: 30) { group in
        _ = try group.allocate(Float.self, count: group.rank == 3 ? 6 : 7)
      }
      for error in different {
        let text = try #require(error as? CallMismatch).description
        #expect(text.contains("rank 3 called allocate(6 x float32)"))
        #expect(text.contains("called allocate(7 x float32)"))
      }
    }

    @Test("a rank that does not come to the start of a group is named; a late one does no harm")
    func absentFromStart() throws {
      var options = ProcessGroup.Options()
      options.timeLimit = 5
      nonisolated(unsafe) let common = options
      let error = #expect(throws: RankMissing.self) {
        try LoopbackTransport.run(ranks: 4) { transport in
          if transport.rank == 1 { try stayAway(from: transport) }
          _ = try ProcessGroup(transport, options: common)
        }
      }
      #expect(error?.absentees == [1])
      #expect(
        error?.description.contains("rank 1 has not arrived in the start of its group") == true)

      _ = try LoopbackTransport.run(ranks: 4) { transport in
        // Others have begun to ask for it.
        if transport.rank == 1 { usleep(2_500_000) }
        let group = try ProcessGroup(transport, options: common)
        try allreduceOnes(group, count: 3)
      }
    }

    @Test("ranks that wait for different calls in flight do not take each other for missing")
    func missingInFlight() throws {
      let errors = try errorsOfAllJoinings(timeLimit: 5) { group in
        let buffers = try (0..<2).map { _ in try group.allocate(Float.self, count: 3) }
        if group.rank == 3 { try stayAway(group) }
        let operations = try zip(buffers, [AllreduceMethod.hierarchical, .schedule(.ring)])
          .map { try group.startAllreduce($0, .sum, $1) }
        for operation in group.rank == 0 ? operations : operations.reversed() {
          try operation.wait()
        }
      }
      for error in errors {
        #expect(try #require(error as? RankMissing).absentees == [3])
      }
    }

    @Test("a rank that is late, but in time, does no harm", arguments: [3, 30_000])
    func late(count: Int) throws {
      // Twice, so that reports of the first wait are still about in the second.
      let errors = try errorsOfAllJoinings(timeLimit: 10) { group in
        for turn in 1...2 {
          if group.rank == turn { usleep(1_500_000) }
          try allreduceOnes(group, count: count)
        }
      }
      for error in errors { #expect(error == nil) }
    }

    /// Does nothing until another rank has given up: however long a busy machine makes it wait.
    private func stayAway(_ group: ProcessGroup) throws { try stayAway(from: group.transport) }

    private func stayAway(from transport: any Transport) throws {
      for _ in 0..<3000 {
        try transport.checkAllAreThere()
        usleep(10_000)
      }
    }

    /// What `body` throws in groups that are joined in each of the ways; all of them at once, since
    /// they spend their time waiting.
    private func errorsOfAllJoinings(
      timeLimit: Double, _ body: @escaping @Sendable (ProcessGroup) throws -> Void
    ) throws -> [(any Error)?] {
      let joinings = Joining.allCases
      return try LoopbackTransport.run(ranks: joinings.count) { thread in
        do {
          try run(joinings[thread.rank], timeLimit: timeLimit, body)
          return nil
        } catch {
          return error
        }
      }
    }

    private func run(
      _ joining: Joining, timeLimit: Double,
      _ body: @escaping @Sendable (ProcessGroup) throws -> Void
    ) throws {
      var options = ProcessGroup.Options()
      options.timeLimit = timeLimit
      nonisolated(unsafe) let common = options
      _ = try LoopbackTransport.run(
        ranks: 4, nodes: NodeMap(keys: (0..<4).map(joining.node))
      ) { try body(ProcessGroup($0, options: common)) }
    }
  }
}

/// The sum of ones; a wrong one is an error of its own.
private func allreduceOnes(_ group: ProcessGroup, count: Int) throws {
  var ones = [Float](repeating: 1, count: count)
  try ones.withUnsafeMutableBufferPointer { try group.allreduce($0) }
  if ones.contains(where: { $0 != Float(group.size) }) { throw WrongSum(ones: ones) }
}

private struct WrongSum: Error {
  var ones: [Float]
}

@Test("names of custom operations differ in more bits than every call has room for")
func customOperationNames() {
  let shortMask: UInt64 = 1 << UInt64(CustomOperation.shortBits) - 1
  let numbers = (0..<200).map { CustomOperation.number(of: "operation \($0)") }
  #expect(Set(numbers).count == 200)
  #expect(Set(numbers.map { $0 & shortMask }).count <= 32)
  #expect(numbers.allSatisfy { $0 > 5 && $0 & shortMask > 5 })
  #expect(numbers.allSatisfy { $0 < 1 << UInt64(CustomOperation.bits) })

  func signature(_ name: String, _ collective: CallSignature.Collective) -> CallSignature {
    CallSignature(
      collective, Float.self, reduction: .custom(name) { $0 + $1 }, algorithm: 0, root: 3, count: 7)
  }
  // Two that only the rest tells apart.
  let same = (1..<200).first { numbers[$0] & shortMask == numbers[0] & shortMask }!
  let (one, other) = ("operation 0", "operation \(same)")
  #expect(signature(one, .allreduce) != signature(other, .allreduce))
  #expect(
    signature(one, .allreduce).description
      == "allreduce(7 x float32, custom operation 'operation 0') by ring")
  #expect(signature(other, .reduceScatter).description.contains("'\(other)'"))
  // A root leaves no room for it.
  #expect(signature(one, .reduce) == signature(other, .reduce))
  #expect(signature(one, .reduce).root == 3)
  #expect(signature(one, .reduce).description.hasSuffix("root 3) by tree"))
}
