/// What a cluster's links, memory and arithmetic cost: all that a price needs to know besides the
/// schedule.
public struct CostModel: Equatable, Sendable {
  /// Which ranks share a node.
  public enum Placement: String, CaseIterable, Sendable {
    /// A node is filled before the next one begins (`mpirun --map-by slot`).
    case node
    /// Ranks are dealt out, one to each node in turn (`mpirun --map-by node`).
    case roundRobin = "round-robin"
  }

  /// Between two ranks of a node. Each rank sends one stream and receives one; times are those of
  /// all ranks at work at once, so what they share is in them.
  public var withinNode: LinkModel
  /// Between nodes. A node has one such link: what its ranks send queues on it, and so does what
  /// they receive.
  public var betweenNodes: LinkModel
  /// Adding what has been received to what is there: a rank's time per byte received.
  public var reduction: CostCurve
  /// Writing into another rank's part of the shared window: a rank's time per byte written.
  public var windowCopy: CostCurve
  /// Seconds until all ranks of a node know that all have arrived.
  public var synchronization: Double
  public var ranksPerNode: Int
  public var placement: Placement
  /// A received range is reduced in segments of this size, each while the next one arrives.
  public var segmentBytes: Int

  /// The segments of the executor.
  public static let executorSegmentBytes = ScheduleRun.segmentSize

  public init(
    withinNode: LinkModel, betweenNodes: LinkModel, reduction: CostCurve, windowCopy: CostCurve,
    synchronization: Double, ranksPerNode: Int, placement: Placement = .node,
    segmentBytes: Int = CostModel.executorSegmentBytes
  ) {
    precondition(ranksPerNode > 0 && segmentBytes > 0 && synchronization >= 0)
    self.withinNode = withinNode
    self.betweenNodes = betweenNodes
    self.reduction = reduction
    self.windowCopy = windowCopy
    self.synchronization = synchronization
    self.ranksPerNode = ranksPerNode
    self.placement = placement
    self.segmentBytes = segmentBytes
  }

  /// A network on which every rank has a link of its own and all links are alike.
  public init(
    flat link: LinkModel, reduction: CostCurve, segmentBytes: Int = CostModel.executorSegmentBytes
  ) {
    self.init(
      withinNode: link, betweenNodes: link, reduction: reduction,
      windowCopy: link.replacing.transfer,
      synchronization: link.alpha, ranksPerNode: 1, segmentBytes: segmentBytes)
  }

  public func nodes(size: Int) -> Int { (size + ranksPerNode - 1) / ranksPerNode }

  /// The node of `rank` among `size` ranks.
  func node(of rank: Int, size: Int) -> Int {
    switch placement {
    case .node: rank / ranksPerNode
    case .roundRobin: rank % nodes(size: size)
    }
  }
}

/// Bytes that elements have on the way.
public struct ElementWidth: Hashable, Sendable {
  /// Of results, and of inputs that are elements.
  public let bytes: Int
  private let inputsArePartial: Bool

  public init(bytes: Int) { self.init(bytes: bytes, inputsArePartial: false) }

  private init(bytes: Int, inputsArePartial: Bool) {
    precondition(bytes > 0)
    self.bytes = bytes
    self.inputsArePartial = inputsArePartial
  }

  /// The same where inputs are partial sums: those of the nodes.
  var fromPartials: ElementWidth { ElementWidth(bytes: bytes, inputsArePartial: true) }

  /// Partial sums of narrow elements travel as `Float`.
  func bytes(of payload: Transfer.Payload) -> Int {
    switch payload {
    case .input where inputsArePartial, .partial: max(bytes, MemoryLayout<Float>.size)
    case .input, .result: bytes
    }
  }
}
