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
      let inPlace = zip(buffers, reductions).first { !exact.isResult($0, of: $1) }?.1.name
      let fault = try inPlace ?? faultOutOfPlace(exact, group, method, buffers)
      return fault.map {
        "\(Element.elementType), \($0), \(count) elements, \(method?.rawValue ?? "auto")"
      }
    }

    /// The same from one buffer into another, which leaves the first as it is.
    private static func faultOutOfPlace<Element: ExactElement>(
      _ exact: ExactCase<Element>, _ group: ProcessGroup, _ method: AllreduceMethod?,
      _ buffers: [UnsafeMutableBufferPointer<Element>]
    ) throws -> String? {
      let (source, target, copy) = (buffers[0], buffers[1], buffers[2])
      for reduction in Reduction<Element>.tested {
        exact.fill(source, rank: group.rank, for: reduction)
        exact.fill(copy, rank: group.rank, for: reduction)
        // What is there already must not be taken for an input.
        UnsafeMutableRawBufferPointer(target).initializeMemory(as: UInt8.self, repeating: 0xff)
        try group.allreduce(UnsafeBufferPointer(source), into: target, reduction, method)
        let isSame = zip(UnsafeRawBufferPointer(source), UnsafeRawBufferPointer(copy)).allSatisfy(
          ==)
        if !exact.isResult(target, of: reduction) { return "\(reduction.name) out of place" }
        if !isSame { return "the input of \(reduction.name)" }
      }
      return nil
    }

    @Test("a large allreduce between nodes, from one buffer into another, in parts side by side")
    func channels() throws {
      let count = 3 * 1024 * 1024 / MemoryLayout<Float>.stride + 7
      let exact = ExactCase(Float.self, ranks: 2)
      try expectFaultless(ranks: 2, node: { $0 }) { group in
        let source = UnsafeMutableBufferPointer<Float>.allocate(capacity: 2 * count)
        defer { source.deallocate() }
        let target = UnsafeMutableBufferPointer(rebasing: source[count...])
        let input = UnsafeMutableBufferPointer(rebasing: source[..<count])
        exact.fill(input, rank: group.rank)
        target.update(repeating: .nan)
        try group.allreduce(UnsafeBufferPointer(input), into: target, .sum, .schedule(.ring))
        return exact.isResult(target) ? nil : "wrong"
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
