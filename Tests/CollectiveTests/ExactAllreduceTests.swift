import Testing

@testable import Collective

extension ExecutionTests {
  /// Allreduces of every type and operation, against exact integers.
  @Suite(.serialized) struct ExactAllreduceTests {
    @Test(
      "every algorithm reduces exactly, for every type and operation, in one segment and in many",
      arguments: 1...17)
    func algorithms(ranks: Int) throws {
      func check<Element: ExactElement>(_ type: Element.Type) -> GroupCheck {
        let exact = ExactCase(type, ranks: ranks)
        return { group in
          let buffers = try Self.buffers(type, count: 601, of: group)
          for (number, algorithm) in AllreduceAlgorithm.allCases.enumerated() {
            for count in Self.counts(type, turn: ranks + number, ranks: ranks, most: 601) {
              let method = AllreduceMethod.schedule(algorithm)
              if let fault = try Self.fault(exact, group, method, buffers, count: count) {
                return fault
              }
            }
          }
          return nil
        }
      }
      var options = ProcessGroup.Options()
      // A few elements: the largest count has many segments.
      options.segmentSize = 256
      try expectFaultless(
        ranks: ranks, options: options, inTurn(exactTypes.map { check($0) }))
    }

    @Test(
      "shared memory reduces exactly, for every type and operation, wherever ranks and buffers are",
      arguments: Placement.allCases, 1...17)
    func sharedMemory(placement: Placement, ranks: Int) throws {
      func check<Element: ExactElement>(_ type: Element.Type) -> GroupCheck {
        let exact = ExactCase(type, ranks: ranks)
        // The largest does not fit into a message to the node, even of many ranks.
        let most = NodeBoard.messageSize / 2 + 1
        let counts = Self.counts(type, turn: ranks, ranks: ranks, most: most)
        return { group in
          let shared = try Self.buffers(type, count: counts.max()!, of: group)
          let memory = shared.map {
            UnsafeMutableBufferPointer<Element>.allocate(capacity: $0.count)
          }
          defer { for buffer in memory { buffer.deallocate() } }
          for buffers in [shared, memory] {
            for count in counts {
              if let fault = try Self.fault(exact, group, nil, buffers, count: count) {
                return fault
              }
            }
          }
          return nil
        }
      }
      var options = ProcessGroup.Options()
      options.segmentSize = 4096
      options.isCanonical = false
      try expectFaultless(
        ranks: ranks, node: { placement.node(of: $0, size: ranks) }, options: options,
        inTurn(exactTypes.map { check($0) }))
    }

    /// Every type takes a count that leaves chunks unequal; further counts are for one type, in
    /// turns.
    private static func counts<Element: ExactElement>(
      _ type: Element.Type, turn: Int, ranks: Int, most: Int
    ) -> [Int] {
      let number = ElementType.allCases.firstIndex(of: Element.elementType)!
      let isTurn = (number + turn) % ElementType.allCases.count == 0
      return isTurn ? [0, 1, ranks - 1, ranks + 1, most] : [ranks + 1]
    }

    /// Every operation at once on `count` elements, then compared with the exact results.
    /// - Returns: what is wrong, or nil.
    private static func fault<Element: ExactElement>(
      _ exact: ExactCase<Element>, _ group: ProcessGroup, _ method: AllreduceMethod?,
      _ buffers: [UnsafeMutableBufferPointer<Element>], count: Int
    ) throws -> String? {
      let reductions = Reduction<Element>.tested
      let buffers = buffers.map { UnsafeMutableBufferPointer(rebasing: $0[..<count]) }
      for (buffer, reduction) in zip(buffers, reductions) {
        exact.fill(buffer, rank: group.rank, for: reduction)
      }
      let operations = try zip(buffers, reductions).map {
        try group.startAllreduce($0, $1, method)
      }
      for operation in operations { try operation.wait() }
      return zip(buffers, reductions).first { !exact.isResult($0, of: $1) }.map {
        "\(Element.elementType), \($1.name), \(count) elements, \(method?.rawValue ?? "auto")"
      }
    }

    /// A buffer for each operation.
    private static func buffers<Element: ExactElement>(
      _ type: Element.Type, count: Int, of group: ProcessGroup
    ) throws -> [UnsafeMutableBufferPointer<Element>] {
      try Reduction<Element>.tested.map { _ in try group.allocate(type, count: count) }
    }
  }
}
