import Testing

@testable import Collective

/// Integers in Float, distinct per rank and index: sums are exact, and a swapped chunk shows.
private func input(_ rank: Int, _ index: Int, _ call: Int) -> Float {
  Float((index * 7 + rank * 1009 + call * 13) % 4093 + rank)
}

/// Ranks spread over nodes: one node, nodes of unequal size, round-robin, one rank each.
private let placements: [(name: String, key: @Sendable (_ rank: Int, _ size: Int) -> Int)] = [
  ("one node", { _, _ in 0 }),
  ("two nodes", { rank, size in rank * 2 / size }),
  ("nodes of three", { rank, _ in rank / 3 }),
  ("one rank alone", { rank, _ in rank == 0 ? 0 : 1 }),
  ("round-robin", { rank, _ in rank % 2 }),
  ("a node each", { rank, _ in rank }),
]

@Test(
  "an allreduce through shared memory sums every element, however ranks are placed",
  arguments: 0..<6, [1, 2, 3, 4, 5, 7, 8])
func nodeSums(placement: Int, ranks: Int) throws {
  let nodes = NodeMap(keys: (0..<ranks).map { placements[placement].key($0, ranks) })
  // Around the limits of messages and pieces, and beyond the number of slots.
  let counts = [0, 1, ranks - 1, ranks + 1, 1000, 8192, 8193, 65_535, 65_537, 300_007]
  let sums = counts.enumerated().map { call, count in
    (0..<count).map { index in (0..<ranks).reduce(0) { $0 + input($1, index, call) } }
  }
  for canonical in [false, true] {
    let wrong = try LoopbackTransport.run(ranks: ranks, nodes: nodes) { transport -> String? in
      var options = ProcessGroup.Options()
      options.isCanonical = canonical
      let group = try ProcessGroup(transport, options: options)
      let shared = try group.allocate(Float.self, count: counts.max()!)
      var own = [Float](repeating: 0, count: counts.max()!)
      for (call, count) in counts.enumerated() {
        for isShared in [true, false] {
          let fault = try own.withUnsafeMutableBufferPointer { own -> Int? in
            let buffer = UnsafeMutableBufferPointer(rebasing: (isShared ? shared : own)[..<count])
            for index in 0..<count { buffer[index] = input(transport.rank, index, call) }
            try group.allreduce(buffer)
            return buffer.elementsEqual(sums[call])
              ? nil : (0..<count).first { buffer[$0] != sums[call][$0] }
          }
          if let fault { return "count \(count), shared \(isShared), element \(fault)" }
        }
      }
      return nil
    }
    #expect(wrong == Array(repeating: nil, count: ranks), "canonical \(canonical)")
  }
}
