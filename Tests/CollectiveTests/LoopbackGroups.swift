import Testing

@testable import Collective

/// What groups of loopback ranks do. One after the other: ranks are threads, and take each other's
/// time.
@Suite(.serialized) struct ExecutionTests {}

/// What a rank of a group checks; it returns what is wrong, or nil.
typealias GroupCheck = @Sendable (ProcessGroup) throws -> String?

/// One check after the other, up to the first fault. Few groups make all checks of a size: threads
/// are made once for all of them.
func inTurn(_ checks: [GroupCheck]) -> GroupCheck {
  return { group in
    for check in checks {
      if let fault = try check(group) { return fault }
    }
    return nil
  }
}

/// Runs `body` on loopback ranks.
/// - Parameter node: the node of each rank; nil for messages alone.
func expectFaultless(
  ranks: Int, node: ((_ rank: Int) -> Int)? = nil, options: ProcessGroup.Options = .init(),
  _ body: @escaping GroupCheck,
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
