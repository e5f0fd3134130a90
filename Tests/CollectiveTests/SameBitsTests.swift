import Testing

@testable import Collective

extension ExecutionTests {
  /// The bits of results: equal on all ranks, whatever the inputs; those of the canonical tree
  /// where the order is the canonical one.
  @Suite(.serialized) struct SameBitsTests {
    /// Results as bytes, by what made them.
    private typealias Results = [String: [UInt8]]

    private static let reductions = ["sum", "average", "minimum", "maximum", "product"]

    @Test(
      "all ranks end with the same bytes, and in the canonical order with those of the canonical tree",
      arguments: [2, 3, 4, 5, 8, 11])
    func sameBytes(ranks: Int) throws {
      func check<Element: FloatElement>(_ type: Element.Type) throws {
        let count = 131
        let inputs = (0..<ranks).map { Element.awkward(count: count, rank: $0) }
        let expected = Dictionary(
          uniqueKeysWithValues: Reduction<Element>.named.map { reduction in
            (reduction.name, Element.treeResult(inputs, reduction).withUnsafeBytes(Array.init))
          })
        for (ranksPerNode, segmentSize) in [(1, 64), (1, 1 << 17), (4, 64), (ranks, 64)] {
          let nodes = NodeMap(keys: (0..<ranks).map { $0 / ranksPerNode })
          let methods: [AllreduceMethod] =
            ranksPerNode == 1 ? AllreduceAlgorithm.allCases.map { .schedule($0) } : [.hierarchical]
          let results = try LoopbackTransport.run(ranks: ranks, nodes: nodes) { transport in
            var options = ProcessGroup.Options()
            options.segmentSize = segmentSize
            let group = try ProcessGroup(transport, options: options)
            return try Self.results(group, methods, inputs[transport.rank])
          }
          for other in results.dropFirst() {
            #expect(other == results[0], "\(Element.elementType)")
          }
          for method in methods where method.isCanonical(size: ranks) {
            for reduction in Self.reductions {
              #expect(
                results[0]["\(method.rawValue) \(reduction)"] == expected[reduction],
                "\(Element.elementType), \(method.rawValue), \(reduction), segments of \(segmentSize)"
              )
            }
          }
        }
      }
      for type in floatTypes { try check(type) }
    }

    @Test(
      "sums of 16 shards have the same bytes on 1, 2, 4, 8 and 16 ranks, by every canonical way")
    func ranksDoNotShow() throws {
      let shards = (0..<16).map { Float.awkward(count: 131, rank: 100 + $0) }
      let whole = Float.treeResult(shards, .sum).withUnsafeBytes(Array.init)
      for ranks in [1, 2, 4, 8, 16] {
        // Every rank first adds its own run of shards along the tree, as a trainer does.
        let parts = (0..<ranks).map {
          Float.treeResult(Array(shards[$0 * 16 / ranks..<($0 + 1) * 16 / ranks]), .sum)
        }
        for ranksPerNode in [1, 2, 16] {
          let nodes = NodeMap(keys: (0..<ranks).map { $0 / ranksPerNode })
          let methods = AllreduceMethod.allCases.filter { $0.isCanonical(size: ranks) }
          let results = try LoopbackTransport.run(ranks: ranks, nodes: nodes) { transport in
            try Self.results(ProcessGroup(transport), methods, parts[transport.rank])
          }
          for method in methods {
            #expect(
              results[0]["\(method.rawValue) sum"] == whole, "\(method.rawValue), \(ranks) ranks")
          }
        }
      }
      // Another order gives other bits: the test can fail.
      #expect(
        Float.treeResult(shards.reversed().dropLast(), .sum).withUnsafeBytes(Array.init) != whole)
    }

    @Test(
      "a NaN of any one rank arrives on all, and nowhere else", arguments: [2, 3, 4, 7, 8])
    func nanArrives(ranks: Int) throws {
      func check<Element: FloatElement>(_ type: Element.Type) throws {
        let count = 4 * ranks + 1
        for ranksPerNode in [1, 2, ranks] {
          let nodes = NodeMap(keys: (0..<ranks).map { $0 / ranksPerNode })
          let faults = try LoopbackTransport.run(ranks: ranks, nodes: nodes) {
            transport -> String? in
            let group = try ProcessGroup(transport)
            let buffer = try group.allocate(type, count: count)
            for method in AllreduceMethod.allCases {
              for (number, reduction) in Reduction<Element>.named.enumerated() {
                let (culprit, place) = ((number + count) % ranks, (number * 5 + ranks) % count)
                buffer.update(repeating: Element(rounding: 1))
                if transport.rank == culprit { buffer[place] = Element(rounding: -.nan) }
                try group.allreduce(buffer, reduction, method)
                for index in 0..<count where buffer[index].accumulator.isNaN != (index == place) {
                  return "\(method.rawValue), \(reduction.name), element \(index)"
                }
              }
            }
            return nil
          }
          #expect(faults == Array(repeating: nil, count: ranks), "\(Element.elementType)")
        }
      }
      for type in floatTypes { try check(type) }
    }

    /// Every method and operation on one input, all operations at once.
    private static func results<Element: FloatElement>(
      _ group: ProcessGroup, _ methods: [AllreduceMethod], _ input: [Element]
    ) throws -> Results {
      var results: Results = [:]
      let buffers = try Reduction<Element>.named.map { _ in
        try group.allocate(Element.self, count: input.count)
      }
      for method in methods {
        for buffer in buffers { _ = buffer.update(from: input) }
        let operations = try zip(buffers, Reduction<Element>.named).map {
          try group.startAllreduce($0, $1, method)
        }
        for operation in operations.reversed() { try operation.wait() }
        for (buffer, reduction) in zip(buffers, Reduction<Element>.named) {
          results["\(method.rawValue) \(reduction.name)"] = Array(UnsafeRawBufferPointer(buffer))
        }
      }
      return results
    }
  }
}

extension Reduction where Element: FloatElement {
  fileprivate static var named: [Reduction] { [.sum, .average, .minimum, .maximum, .product] }
}

extension AllreduceMethod {
  fileprivate func isCanonical(size: Int) -> Bool {
    switch self {
    case .schedule(let algorithm): algorithm.isCanonical(size: size)
    case .hierarchical: true
    }
  }
}
