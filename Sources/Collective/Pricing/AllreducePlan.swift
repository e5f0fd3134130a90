/// A way to do an allreduce on a cluster of nodes.
public enum AllreducePlan: Hashable, Sendable, CustomStringConvertible {
  /// Messages between all ranks, whichever node they are on.
  case flat(AllreduceAlgorithm)
  /// All ranks on one node: each owns a chunk of the shared window, reads all inputs and writes the
  /// result to all.
  case sharedWindow
  /// The owners of a chunk add up their node's inputs in the window, then run the algorithm with
  /// the owners of the same chunk on other nodes, then write the result to all ranks of their node.
  case twoLevel(AllreduceAlgorithm)

  public var description: String {
    switch self {
    case .flat(let algorithm): algorithm.rawValue
    case .sharedWindow: "shared-window"
    case .twoLevel(let algorithm): "shared-window+\(algorithm.rawValue)"
    }
  }

  /// What `size` ranks can do with `algorithms`. Two levels need nodes of equally many ranks.
  public static func candidates(
    _ algorithms: [AllreduceAlgorithm], size: Int, on model: CostModel
  ) -> [AllreducePlan] {
    let flat = algorithms.map(AllreducePlan.flat)
    guard model.ranksPerNode > 1, size > 1 else { return flat }
    if model.nodes(size: size) == 1 { return flat + [.sharedWindow] }
    return flat
      + (size.isMultiple(of: model.ranksPerNode) ? algorithms.map(AllreducePlan.twoLevel) : [])
  }

  /// Whether the sum is taken along the canonical tree: a node's ranks must then be a subtree of
  /// it.
  public func isCanonical(size: Int, on model: CostModel) -> Bool {
    switch self {
    case .flat(let algorithm): algorithm.isCanonical(size: size)
    case .sharedWindow: true
    case .twoLevel(let algorithm):
      model.placement == .node && model.ranksPerNode & (model.ranksPerNode - 1) == 0
        && algorithm.isCanonical(size: model.nodes(size: size))
    }
  }

  /// What adding up `count` elements on `size` ranks costs.
  /// - Precondition: the plan is one of the candidates.
  public func price(size: Int, count: Int, on model: CostModel, width: ElementWidth) -> Price {
    switch self {
    case .flat(let algorithm):
      return Price(of: algorithm.generator(size: size, count: count), on: model, width: width)
    case .sharedWindow:
      return AllreducePlan.window(ranks: size, count: count, on: model, width: width)
    case .twoLevel(let algorithm):
      var price = AllreducePlan.crossing(
        algorithm, nodes: model.nodes(size: size), count: count, on: model, width: width)
      let window = AllreducePlan.window(
        ranks: model.ranksPerNode, count: count, on: model, width: width)
      price.seconds += window.seconds
      price.rounds += window.rounds
      return price
    }
  }

  /// What goes between nodes, a piece of the buffer after the other, as many side by side as there
  /// are slots: these share the time before their first byte.
  private static func crossing(
    _ algorithm: AllreduceAlgorithm, nodes: Int, count: Int, on model: CostModel,
    width: ElementWidth
  ) -> Price {
    let local = model.ranksPerNode
    // Every owner has a rank's view of the network: its peers are on other nodes; what it shares
    // with the node's other owners is the link.
    var owners = model
    owners.ranksPerNode = 1
    /// All chunks as large as the largest.
    func price(_ elements: Int) -> Price {
      Price(
        of: algorithm.generator(size: nodes, count: (elements + local - 1) / local), on: owners,
        width: width.fromPartials, copies: min(local, elements))
    }
    let length = NodeBoard.slotSize / width.bytes(of: .partial)
    let (pieces, lastPiece) = count.quotientAndRemainder(dividingBy: length)
    let (turns, lastTurn) = count.quotientAndRemainder(dividingBy: NodeBoard.slots * length)
    let inTurns = [(price(NodeBoard.slots * length), turns), (price(lastTurn), 1)]
    let inPieces = [(price(length), pieces), (price(lastPiece), 1)]
    return Price(
      seconds: inTurns.reduce(0) { $0 + $1.0.seconds * Double($1.1) },
      rounds: inTurns.reduce(0) { $0 + ($1.0.messages > 0 ? $1.0.rounds : 0) * $1.1 },
      bytesSent: inPieces.reduce(0) { $0 + $1.0.bytesSent * $1.1 },
      bytesPerNodeLink: inPieces.reduce(0) { $0 + $1.0.bytesPerNodeLink * $1.1 },
      messages: inPieces.reduce(0) { $0 + $1.0.messages * $1.1 })
  }

  /// Owner-reduce in a node's window: wait for all inputs, add the others' to the own, write the
  /// sum to the others, wait until all have written.
  private static func window(
    ranks: Int, count: Int, on model: CostModel, width: ElementWidth
  ) -> Price {
    let bytes = (ranks - 1) * ((count + ranks - 1) / ranks) * width.bytes
    return Price(
      seconds: 2 * model.synchronization + model.reduction.seconds(bytes)
        + model.windowCopy.seconds(bytes),
      rounds: 2, bytesSent: 0, bytesPerNodeLink: 0, messages: 0)
  }
}
