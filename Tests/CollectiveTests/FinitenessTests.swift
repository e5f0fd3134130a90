import TestSupport
import Testing

@testable import Collective

extension ExecutionTests {
  /// What ranks find out about a sum while they make it.
  struct FinitenessTests {
    /// What one rank contributes to one element; the others contribute ones.
    private enum Fault: CaseIterable {
      case none, nan, infinity, overflow

      var value: Float {
        switch self {
        case .none: 1
        case .nan: .nan
        case .infinity: -.infinity
        // With that of the neighbour, which contributes the same.
        case .overflow: 0.75 * .greatestFiniteMagnitude
        }
      }

      var finiteness: Finiteness { self == .none ? .finite : .notFinite }
    }

    private static func sum(
      _ buffer: UnsafeMutableBufferPointer<Float>, _ fault: Fault, at element: Int, of rank: Int,
      _ group: ProcessGroup, _ method: AllreduceMethod?, looksAtResult: Bool = true
    ) throws -> CollectiveOperation {
      buffer.update(repeating: 1)
      let isFaulty =
        group.rank == rank || fault == .overflow && group.rank == (rank + 1) % group.size
      if isFaulty { buffer[element] = fault.value }
      return try group.startSumOfPlanes(
        buffer, stride: buffer.count, method, looksAtResult: looksAtResult)
    }

    @Test(
      "all ranks know of any element that is not finite, wherever it is",
      arguments: Placement.allCases, [2, 3, 5])
    func everywhere(placement: Placement, ranks: Int) throws {
      // In a message, in one piece, in several.
      let counts = [1, 700, 20_011, 150_001]
      var options = ProcessGroup.Options()
      // Sums along nodes, whatever they are.
      options.isCanonical = false
      try expectFaultless(
        ranks: ranks, node: { placement.node(of: $0, size: ranks) }, options: options
      ) { group in
        let shared = try group.allocate(Float.self, count: counts.max()!)
        let own = UnsafeMutableBufferPointer<Float>.allocate(capacity: counts.max()!)
        defer { own.deallocate() }
        for (number, count) in counts.enumerated() {
          for memory in [shared, own] {
            let buffer = UnsafeMutableBufferPointer(rebasing: memory[..<count])
            for element in Set([0, count / 2, count - 1]).sorted() {
              for fault in Fault.allCases {
                let rank = (number + element) % ranks
                let found = try Self.sum(buffer, fault, at: element, of: rank, group, .hierarchical)
                  .wait()
                if found != fault.finiteness {
                  return "\(fault) at \(element) of \(count): \(found)"
                }
              }
            }
            let ignored = try Self.sum(
              buffer, .nan, at: 0, of: 0, group, .hierarchical, looksAtResult: false
            ).wait()
            let unseen = try Self.sum(buffer, .nan, at: 0, of: 0, group, .schedule(.tree)).wait()
            if ignored != .unknown || unseen != .unknown { return "nobody has looked" }
          }
        }
        return nil
      }
    }

    @Test("calls that are under way together do not mix what they find", arguments: 2...4)
    func together(ranks: Int) throws {
      let calls = 3 * NodeBoard.depth
      try expectFaultless(ranks: ranks, node: { _ in 0 }) { group in
        let count = 5000
        let memory = try group.allocate(Float.self, count: calls * count)
        for round in 0..<10 {
          let operations = try (0..<calls).map { call in
            let buffer = UnsafeMutableBufferPointer(
              rebasing: memory[call * count..<(call + 1) * count])
            let fault: Fault = call % 7 == round % 7 ? .nan : .none
            return try Self.sum(
              buffer, fault, at: (call * 997 + round) % count, of: call % ranks, group,
              .hierarchical)
          }
          for (call, operation) in operations.enumerated().reversed() {
            let expected: Finiteness = call % 7 == round % 7 ? .notFinite : .finite
            if try operation.wait() != expected { return "call \(call) of round \(round)" }
          }
        }
        return nil
      }
    }

    @Test("messages between looked-at calls leave no verdict behind", arguments: 2...3)
    func betweenMessages(ranks: Int) throws {
      try expectFaultless(ranks: ranks, node: { _ in 0 }) { group in
        let memory = try group.allocate(Float.self, count: 5000)
        for round in 0..<4 * NodeBoard.depth {
          let count = round % 3 == 0 ? 5000 : 7
          let fault: Fault = round % 4 == 1 ? .infinity : .none
          let buffer = UnsafeMutableBufferPointer(rebasing: memory[..<count])
          let found = try Self.sum(
            buffer, fault, at: count - 1, of: round % ranks, group, .hierarchical
          ).wait()
          if found != fault.finiteness { return "round \(round): \(found)" }
        }
        return nil
      }
    }

    @Test("of planes, every one counts", arguments: [3, 5])
    func planes(ranks: Int) throws {
      let tree = SumTree(leaves: 16, ranks: ranks)
      var options = ProcessGroup.Options()
      options.tree = tree
      try expectFaultless(ranks: ranks, node: { _ in 0 }, options: options) { group in
        let count = 20_011
        let planes = tree.subtrees[group.rank].count
        let memory = try group.allocate(Float.self, count: tree.planes * count)
        let first = UnsafeMutableBufferPointer(rebasing: memory[..<count])
        for faulty in [nil] + (0..<ranks).map(Optional.some) {
          memory.update(repeating: 1)
          if group.rank == faulty { memory[(planes - 1) * count + 77] = .nan }
          let found = try group.startSumOfPlanes(first, stride: count, looksAtResult: true).wait()
          if found != (faulty == nil ? .finite : .notFinite) {
            return "rank \(String(describing: faulty)): \(found)"
          }
        }
        return nil
      }
    }

    @Test("nothing is known where a rank does not look, of other types, and of a rank alone")
    func unknown() throws {
      try expectFaultless(ranks: 2, node: { _ in 0 }) { group in
        let count = 20_011
        let floats = try group.allocate(Float.self, count: count)
        let found = try Self.sum(
          floats, .nan, at: count - 1, of: 1, group, .hierarchical, looksAtResult: group.rank == 0
        ).wait()
        if found != .unknown { return "one looks: \(found)" }
        let doubles = try group.allocate(Double.self, count: count)
        let ofDoubles = try group.startSumOfPlanes(doubles, stride: count, looksAtResult: true)
          .wait()
        return ofDoubles == .unknown ? nil : "Double: \(ofDoubles)"
      }
      try expectFaultless(ranks: 1, node: { _ in 0 }) { group in
        let floats = try group.allocate(Float.self, count: 5000)
        let found = try group.startSumOfPlanes(floats, stride: 5000, looksAtResult: true).wait()
        return found == .unknown ? nil : "\(found)"
      }
    }

    @Test("of several results, what is known of all")
    func combined() {
      #expect(Finiteness.finite.and(.finite) == .finite)
      #expect(Finiteness.finite.and(.unknown) == .unknown)
      #expect(Finiteness.unknown.and(.notFinite) == .notFinite)
      #expect(Finiteness.notFinite.and(.finite) == .notFinite)
    }
  }
}
