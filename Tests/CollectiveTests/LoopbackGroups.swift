import Testing

@testable import Collective

/// What groups of loopback ranks do. One after the other: ranks are threads, and take each other's
/// time.
@Suite(.serialized) struct ExecutionTests {}

/// Runs `body` on loopback ranks; it returns what is wrong, or nil.
/// - Parameter node: the node of each rank; nil for messages alone.
func expectFaultless(
  ranks: Int, node: ((_ rank: Int) -> Int)? = nil, options: ProcessGroup.Options = .init(),
  _ body: @escaping @Sendable (ProcessGroup) throws -> String?,
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  nonisolated(unsafe) let options = options
  let faults = try LoopbackTransport.run(
    ranks: ranks, nodes: node.map { NodeMap(keys: (0..<ranks).map($0)) }
  ) { try body(ProcessGroup($0, options: options)) }
  #expect(faults == Array(repeating: nil, count: ranks), sourceLocation: sourceLocation)
}

/// Where ranks may be placed.
enum Placement: String, CaseIterable, Sendable {
  case oneNode, twoUnevenNodes, roundRobin, nodeEach

  func node(of rank: Int, size: Int) -> Int {
    switch self {
    case .oneNode: 0
    case .twoUnevenNodes: 3 * rank < 2 * size ? 0 : 1
    case .roundRobin: rank % 2
    case .nodeEach: rank
    }
  }
}
