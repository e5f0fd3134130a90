import Testing

@testable import Collective

extension ExecutionTests {
  /// Reduce-scatter, allgather, broadcast and reduce: every algorithm and type, against exact
  /// integers.
  @Suite(.serialized) struct OtherCollectiveTests {
    @Test(
      "a reduce-scatter leaves the exact result of its chunk on every rank",
      arguments: ReduceScatterAlgorithm.allCases, 1...17)
    func reduceScatter(algorithm: ReduceScatterAlgorithm, ranks: Int) throws {
      func check<Element: ExactElement>(_ type: Element.Type) -> GroupCheck {
        Self.forEachCount(type, ranks: ranks) { exact, group, buffer in
          // Every operation on few elements.
          for reduction in buffer.count == ranks + 1 ? Reduction<Element>.tested : [.average] {
            exact.fill(buffer, rank: group.rank, for: reduction)
            try group.reduceScatter(buffer, reduction, algorithm)
            let chunk = group.chunk(of: buffer.count)
            guard exact.isResult(buffer, of: reduction, in: chunk) else { return reduction.name }
          }
          return nil
        }
      }
      try expectFaultless(
        ranks: ranks, options: Self.options, inTurn(exactTypes.map { check($0) }))
    }

    @Test(
      "an allgather leaves every rank's chunk on all ranks",
      arguments: AllgatherAlgorithm.allCases, 1...17)
    func allgather(algorithm: AllgatherAlgorithm, ranks: Int) throws {
      func check<Element: ExactElement>(_ type: Element.Type) -> GroupCheck {
        Self.forEachCount(type, ranks: ranks) { exact, group, buffer in
          exact.fill(buffer, rank: group.rank)
          try group.allgather(buffer, algorithm)
          let chunks = Chunks(count: buffer.count, parts: ranks)
          return (0..<ranks).first { !exact.isInput(buffer, of: $0, in: chunks[$0]) }
            .map { "chunk \($0)" }
        }
      }
      try expectFaultless(
        ranks: ranks, options: Self.options, inTurn(exactTypes.map { check($0) }))
    }

    @Test(
      "a broadcast leaves the root's buffer on all ranks", arguments: BroadcastAlgorithm.allCases,
      1...17)
    func broadcast(algorithm: BroadcastAlgorithm, ranks: Int) throws {
      func check<Element: ExactElement>(_ type: Element.Type) -> GroupCheck {
        Self.forEachCount(type, ranks: ranks) { exact, group, buffer in
          for root in [0, ranks / 2, ranks - 1] {
            exact.fill(buffer, rank: group.rank)
            try group.broadcast(buffer, root: root, algorithm)
            guard exact.isInput(buffer, of: root, in: 0..<buffer.count) else {
              return "root \(root)"
            }
          }
          return nil
        }
      }
      try expectFaultless(
        ranks: ranks, options: Self.options, inTurn(exactTypes.map { check($0) }))
    }

    @Test(
      "a reduce leaves the exact result on the root", arguments: ReduceAlgorithm.allCases, 1...17)
    func reduce(algorithm: ReduceAlgorithm, ranks: Int) throws {
      func check<Element: ExactElement>(_ type: Element.Type) -> GroupCheck {
        Self.forEachCount(type, ranks: ranks) { exact, group, buffer in
          for (number, reduction) in Reduction<Element>.tested.enumerated() {
            let root = (number * 5 + ranks - 1) % ranks
            exact.fill(buffer, rank: group.rank, for: reduction)
            try group.reduce(buffer, reduction, root: root, algorithm)
            guard group.rank != root || exact.isResult(buffer, of: reduction) else {
              return "\(reduction.name), root \(root)"
            }
          }
          return nil
        }
      }
      try expectFaultless(
        ranks: ranks, options: Self.options, inTurn(exactTypes.map { check($0) }))
    }

    private static var options: ProcessGroup.Options {
      var options = ProcessGroup.Options()
      // A few elements: the largest count has many segments.
      options.segmentSize = 256
      return options
    }

    /// Checks `body` on buffers of several lengths, in several segments; it returns what is wrong,
    /// or nil.
    private static func forEachCount<Element: ExactElement>(
      _ type: Element.Type, ranks: Int,
      _ body:
        @escaping @Sendable (
          ExactCase<Element>, ProcessGroup, UnsafeMutableBufferPointer<Element>
        ) throws -> String?
    ) -> GroupCheck {
      let exact = ExactCase(type, ranks: ranks)
      return { group in
        for count in ranks <= 8 ? [0, 1, ranks + 1, 601] : [ranks + 1] {
          let buffer = try group.allocate(type, count: count)
          if let fault = try body(exact, group, buffer) {
            return "\(fault), \(Element.elementType), \(count) elements"
          }
        }
        return nil
      }
    }
  }
}
