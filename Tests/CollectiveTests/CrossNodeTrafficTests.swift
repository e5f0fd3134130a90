import Synchronization
import Testing

@testable import Collective

extension ExecutionTests {
  /// What really goes from node to node, counted where it is sent.
  struct CrossNodeTrafficTests {
    @Test(
      "an allreduce on several nodes sends 2(N-1)/N of the buffer over each node's link, and what it is priced at",
      arguments: [(2, 2), (2, 3), (4, 2), (3, 2)] as [(Int, Int)], [5, 1000, 32_768, 300_007])
    func linksCarryTheLeast(nodes: (count: Int, ranks: Int), count: Int) throws {
      try check(Float.self, nodes, count: count, bytesOfSums: 4, bytesOfResults: 4)
    }

    @Test(
      "of 16-bit elements sums cross as floats, and results as they are",
      arguments: [(2, 2), (2, 3), (4, 2), (3, 2)] as [(Int, Int)], [5, 1000, 32_768, 300_007])
    func narrowResultsTravelAsTheyAre(nodes: (count: Int, ranks: Int), count: Int) throws {
      try check(BFloat16.self, nodes, count: count, bytesOfSums: 4, bytesOfResults: 2)
      try check(Float16.self, nodes, count: count, bytesOfSums: 4, bytesOfResults: 2)
    }

    private func check<Element: FloatElement>(
      _ type: Element.Type, _ nodes: (count: Int, ranks: Int), count: Int, bytesOfSums: Int,
      bytesOfResults: Int
    ) throws {
      let size = nodes.count * nodes.ranks
      let tally = Mutex((bytes: Array(repeating: 0, count: nodes.count), messages: 0))
      let map = NodeMap(keys: (0..<size).map { $0 / nodes.ranks })
      let isExact = try LoopbackTransport.run(ranks: size, nodes: map) { base in
        var isCounting = false
        let transport = TappedTransport(base) { peer, bytes in
          guard isCounting, map.node(of: peer) != map.node(of: base.rank) else { return }
          tally.withLock {
            $0.bytes[map.node(of: base.rank)] += bytes
            $0.messages += 1
          }
        }
        var options = ProcessGroup.Options()
        // The comparison of calls is not part of the price.
        options.checksCalls = false
        // Three ranks of a node are no subtree of the canonical tree.
        options.isCanonical = false
        let group = try ProcessGroup(transport, options: options)
        let exact = ExactCase(type, ranks: size)
        let buffer = try group.allocate(type, count: count)
        exact.fill(buffer, rank: group.rank)
        isCounting = true
        try group.allreduce(buffer)
        return exact.isResult(buffer)
      }
      #expect(isExact.allSatisfy { $0 })

      let sent = tally.withLock { $0 }
      let model = CostModel(
        withinNode: LinkModel(alpha: 1e-6, bandwidth: 8e9),
        betweenNodes: LinkModel(alpha: 1e-5, bandwidth: 1e9),
        reduction: CostCurve(secondsPerByte: 0), windowCopy: CostCurve(secondsPerByte: 0),
        synchronization: 0, ranksPerNode: nodes.ranks)
      let share = count / nodes.ranks * bytesOfResults
      let algorithm = AllreduceAlgorithm.choice(
        byteCount: share, size: nodes.count, canonical: false)
      let price = AllreducePlan.twoLevel(algorithm).price(
        size: size, count: count, on: model, width: ElementWidth(bytes: bytesOfResults))
      // A share of few elements is not cut, and all chunks are priced as the largest.
      #expect(sent.messages <= price.messages)
      let most = sent.bytes.max()!
      #expect(most <= price.bytesPerNodeLink)
      guard count >= 32_768 else { return }
      #expect(sent.messages == price.messages)
      let least =
        Double((nodes.count - 1) * count * (bytesOfSums + bytesOfResults)) / Double(nodes.count)
      #expect(Double(most) >= least && Double(most) < 1.01 * least)
      #expect(Double(price.bytesPerNodeLink) < 1.01 * least)
    }
  }
}
