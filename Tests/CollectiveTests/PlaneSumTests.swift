import TestSupport
import Testing

@testable import Collective

extension ExecutionTests {
  /// Sums of planes: the bits of the tree over leaves, on any number of ranks, by every way.
  @Suite(.serialized) struct PlaneSumTests {
    private static let placements: [@Sendable (_ rank: Int, _ size: Int) -> Int] = [
      { rank, _ in rank },
      { _, _ in 0 },
      { rank, size in rank * 2 / size },
      { rank, _ in rank / 2 },
      { rank, _ in rank % 2 },
    ]

    /// Elements from one plane to the next, beyond the count.
    private static let gap = 3

    /// The values of each leaf, and their sum.
    private static func sums(of leaves: [[Float]], _ run: Range<Int>) -> [Float] {
      Float.treeResult(Array(leaves[run]), .sum)
    }

    @Test(
      "16 leaves have one sum on any number of ranks, bit for bit, by every method",
      arguments: Thoroughness.cases(Array(1...16), everyday: [1, 2, 3, 5, 7, 8, 12]))
    func sameBytes(ranks: Int) throws {
      let tree = SumTree(leaves: 16, ranks: ranks)
      // In a message, in one piece, in several.
      for count in [1, 131, 20_011] {
        let leaves = (0..<16).map { Float.awkward(count: count, rank: 50 + $0) }
        let expected = Self.sums(of: leaves, 0..<16).map(\.bitPattern)
        let planes = tree.subtrees.map { $0.map { Self.sums(of: leaves, $0) } }
        for (number, placement) in Self.placements.enumerated() {
          try expectFaultless(
            ranks: ranks, node: { placement($0, ranks) }, options: Self.options(tree)
          ) { group in
            let stride = count + Self.gap
            let shared = try group.allocate(Float.self, count: tree.planes * stride)
            let own = UnsafeMutableBufferPointer<Float>.allocate(capacity: tree.planes * stride)
            defer { own.deallocate() }
            let methods: [AllreduceMethod?] = [
              nil, .hierarchical, .schedule(.tree), .schedule(.direct),
            ]
            for (memory, method) in [shared, own].flatMap({ memory in methods.map { (memory, $0) } }
            ) {
              memory.initialize(repeating: .nan)
              for (plane, values) in planes[group.rank].enumerated() {
                _ = UnsafeMutableBufferPointer(rebasing: memory[(plane * stride)...])
                  .update(from: values)
              }
              let first = UnsafeMutableBufferPointer(rebasing: memory[..<count])
              try group.sumPlanes(first, stride: stride, method)
              if first.map(\.bitPattern) != expected {
                return "placement \(number), \(count) elements, \(method?.rawValue ?? "auto")"
              }
            }
            return nil
          }
        }
      }
    }

    @Test(
      "sums of planes and allreduces are under way together, and follow each other",
      arguments: [3, 5, 6], [700, 20_011])
    func mixed(ranks: Int, count: Int) throws {
      let tree = SumTree(leaves: 64, ranks: ranks)
      for placement in Self.placements {
        try expectFaultless(
          ranks: ranks, node: { placement($0, ranks) }, options: Self.options(tree)
        ) { group in
          let memory = try (0..<6).map { _ in
            try group.allocate(Float.self, count: tree.planes * count)
          }
          var own = [Float](repeating: 0, count: count)
          for round in 1...(count < 1000 ? 20 : 3) {
            let operations = try memory.enumerated().map { number, buffer in
              // A plane holds its number of leaves, so that all of them hold 64.
              for (plane, leaves) in tree.subtrees[group.rank].enumerated() {
                for index in 0..<count {
                  buffer[plane * count + index] = Float(leaves.count * (round + index % 7))
                }
              }
              let first = UnsafeMutableBufferPointer(rebasing: buffer[..<count])
              return try number % 3 == 2
                ? group.startAllreduce(first) : group.startSumOfPlanes(first, stride: count)
            }
            for operation in group.rank == 0 ? operations : operations.reversed() {
              try operation.wait()
            }
            let ofFirst = tree.subtrees.reduce(0) { $0 + $1[0].count }
            for (number, buffer) in memory.enumerated() {
              let leaves = number % 3 == 2 ? ofFirst : 64
              for index in 0..<count where buffer[index] != Float(leaves * (round + index % 7)) {
                return "round \(round), buffer \(number), element \(index)"
              }
            }
            // Alone, in memory of the group's and of the caller's.
            let shared = UnsafeMutableBufferPointer(rebasing: memory[0][..<count])
            let isWrong = try own.withUnsafeMutableBufferPointer { own in
              for buffer in [shared, own] {
                for index in 0..<count { buffer[index] = Float(group.rank + index % 7) }
                try group.allreduce(buffer)
                for index in 0..<count
                where buffer[index] != Float(ranks * (ranks - 1) / 2 + ranks * (index % 7)) {
                  return true
                }
              }
              return false
            }
            if isWrong { return "round \(round), an allreduce alone" }
          }
          return nil
        }
      }
    }

    @Test("a sum of planes and an allreduce are different calls", arguments: [true, false])
    func mismatch(sharing: Bool) throws {
      let nodes = NodeMap(keys: sharing ? [0, 0, 0] : [0, 1, 2])
      #expect(throws: CallMismatch.self) {
        try LoopbackTransport.run(ranks: 3, nodes: nodes) { transport in
          let group = try ProcessGroup(
            transport, options: Self.options(SumTree(leaves: 8, ranks: 3)))
          let buffer = try group.allocate(Float.self, count: 200)
          let first = UnsafeMutableBufferPointer(rebasing: buffer[..<100])
          if transport.rank == 1 {
            try group.allreduce(first)
          } else {
            try group.sumPlanes(first, stride: 100)
          }
        }
      }
    }

    @Test(
      "what a sum of planes was run by is said, by rules and by measurement", arguments: [3, 6])
    func said(ranks: Int) throws {
      for choice in [MethodChoice.rules, .measured] {
        for placement in Self.placements[..<4] {
          let nodes = NodeMap(keys: (0..<ranks).map { placement($0, ranks) })
          let lines = try LoopbackTransport.run(ranks: ranks, nodes: nodes) { transport in
            var lines: [String] = []
            var options = Self.options(SumTree(leaves: 8, ranks: ranks))
            options.choice = choice
            options.usesSharedMemory = nodes.nodes.count < ranks
            options.log = { lines.append($0) }
            let group = try ProcessGroup(transport, options: options)
            let memory = try group.allocate(Float.self, count: 2000)
            for _ in 0..<2 {
              try group.sumPlanes(.init(rebasing: memory[..<1000]), stride: 1000)
            }
            return lines
          }[0]
          let methods = lines.filter { $0.hasPrefix("sum of planes of 2 KB to 4 KB: ") }
          #expect(methods.count == 1, "\(lines)")
          let isHierarchical = nodes.nodes.count < ranks
          #expect(lines.joined().contains("hierarchical") == isHierarchical, "\(lines)")
        }
      }
    }

    private static func options(_ tree: SumTree) -> ProcessGroup.Options {
      var options = ProcessGroup.Options()
      options.tree = tree
      options.segmentSize = 1024
      return options
    }
  }
}
