import Testing

@testable import Collective

extension ExecutionTests {
  struct NodeAllreduceTests {
    /// Ranks spread over nodes: one node, nodes of unequal size, round-robin, one rank each.
    private static let placements: [@Sendable (_ rank: Int, _ size: Int) -> Int] = [
      { _, _ in 0 },
      { rank, size in rank * 2 / size },
      { rank, _ in rank / 3 },
      { rank, _ in rank == 0 ? 0 : 1 },
      { rank, _ in rank % 2 },
      { rank, _ in rank },
    ]

    @Test(
      "an allreduce through shared memory sums every element, in one piece and in many",
      arguments: 0..<6, [1, 2, 3, 4, 5, 7, 8])
    func nodeSums(placement: Int, ranks: Int) throws {
      let exact = ExactCase(Float.self, ranks: ranks)
      // Around the limits of messages and pieces, and beyond the number of slots.
      let counts = [0, 1, ranks - 1, ranks + 1, 1000, 8192, 8193, 65_535, 65_537, 300_007]
      for canonical in [false, true] {
        var options = ProcessGroup.Options()
        options.isCanonical = canonical
        try expectFaultless(
          ranks: ranks, node: { Self.placements[placement]($0, ranks) }, options: options
        ) { group in
          let shared = try group.allocate(Float.self, count: counts.max()!)
          let own = UnsafeMutableBufferPointer<Float>.allocate(capacity: counts.max()!)
          defer { own.deallocate() }
          for count in counts {
            for memory in [shared, own] {
              let buffer = UnsafeMutableBufferPointer(rebasing: memory[..<count])
              exact.fill(buffer, rank: group.rank)
              try group.allreduce(buffer)
              if !exact.isResult(buffer) {
                return "\(count) elements, canonical \(canonical)"
              }
            }
          }
          return nil
        }
      }
    }
  }
}

extension ExecutionTests {
  @Test(
    "results that go past the caches are exact, for every type and operation",
    arguments: [Placement.oneNode, .twoUnevenNodes], 1...5)
  func pastCaches(placement: Placement, ranks: Int) throws {
    func check<Element: ExactElement>(_ type: Element.Type) -> GroupCheck {
      let exact = ExactCase(type, ranks: ranks)
      return { group in
        // Of one piece and of several.
        let counts = [NodeBoard.slotSize / 8 + 77, NodeBoard.slotSize / 3 + 77]
        // On a cache line, on the next element, and on the next 16 bytes.
        let offsets = [0, 1, max(1, 16 / MemoryLayout<Element>.stride)]
        let capacity = counts.max()! + offsets.max()!
        let shared = try (0..<2).map { _ in try group.allocate(type, count: capacity) }
        let memory = (0..<2).map { _ in
          UnsafeMutableBufferPointer<Element>.allocate(capacity: capacity)
        }
        defer { for buffer in memory { buffer.deallocate() } }
        for (number, reduction) in Reduction<Element>.tested.enumerated() {
          for (place, buffers) in [("shared", shared), ("private", memory)] {
            let offset = offsets[(number + ranks) % offsets.count]
            let range = offset..<offset + counts[number % counts.count]
            let (source, target) = (
              UnsafeMutableBufferPointer(rebasing: buffers[0][range]),
              UnsafeMutableBufferPointer(rebasing: buffers[1][range])
            )
            exact.fill(source, rank: group.rank, for: reduction)
            target.update(repeating: source[0])
            try group.allreduce(UnsafeBufferPointer(source), into: target, reduction)
            if !exact.isResult(target, of: reduction) {
              return "\(type), operation \(number), \(range), \(place)"
            }
          }
        }
        return nil
      }
    }
    var options = ProcessGroup.Options()
    options.cacheShare = 0
    try expectFaultless(
      ranks: ranks, node: { placement.node(of: $0, size: ranks) }, options: options,
      inTurn(exactTypes.map { check($0) }))
  }

  @Test("more calls may be in flight than a rank keeps announcements", arguments: 2...4)
  func manyInFlight(ranks: Int) throws {
    let nodes = NodeMap(keys: Array(repeating: 0, count: ranks))
    let sums = try LoopbackTransport.run(ranks: ranks, nodes: nodes) { transport in
      let group = try ProcessGroup(transport)
      let values = try group.allocate(Int32.self, count: 5 * NodeBoard.depth)
      for round in 0..<100 {
        for index in values.indices { values[index] = Int32(index + round + transport.rank) }
        let operations = try values.indices.map { index in
          try group.startAllreduce(UnsafeMutableBufferPointer(rebasing: values[index...index]))
        }
        for operation in transport.rank == 0 ? operations : operations.reversed() {
          try operation.wait()
        }
      }
      return Array(values)
    }
    let expected = (0..<5 * NodeBoard.depth).map { index in
      Int32(ranks * (index + 99) + ranks * (ranks - 1) / 2)
    }
    #expect(sums == Array(repeating: expected, count: ranks))
  }

  @Test("an empty buffer is reduced into an empty one", arguments: [true, false])
  func empty(sharing: Bool) throws {
    let nodes = NodeMap(keys: sharing ? [0, 0] : [0, 1])
    _ = try LoopbackTransport.run(ranks: 2, nodes: nodes) { transport in
      let target = UnsafeMutableBufferPointer<Float>.allocate(capacity: 1)
      defer { target.deallocate() }
      try ProcessGroup(transport).allreduce(
        UnsafeBufferPointer(start: nil, count: 0), into: .init(rebasing: target[..<0]))
    }
  }
}
