/// What was measured on a cluster: times at ascending sizes, the same on all ranks.
public struct Measurements: Equatable, Sendable, Codable {
  /// Between ranks of a node.
  public var withinNode: LinkPoints
  /// Between ranks of different nodes.
  public var betweenNodes: LinkPoints
  /// Adding so many bytes to as many others, on all ranks at once.
  public var reduction: [CostCurve.Point]
  /// Copying so many bytes, on all ranks at once.
  public var copy: [CostCurve.Point]

  public init(
    withinNode: LinkPoints, betweenNodes: LinkPoints, reduction: [CostCurve.Point],
    copy: [CostCurve.Point]
  ) {
    self.withinNode = withinNode
    self.betweenNodes = betweenNodes
    self.reduction = reduction
    self.copy = copy
  }
}

/// Times of rounds of two ranks by the bytes of a message; until both ranks have what they are to
/// have. A link that was not there has no points.
public struct LinkPoints: Equatable, Sendable, Codable {
  /// Both send, and what they receive replaces what was there.
  public var replacing: [CostCurve.Point]
  /// Both send, and add what they receive to other elements; empty if not measured, as are the
  /// rest.
  public var reducing: [CostCurve.Point] = []
  /// Both send, and add what they receive to the elements that they send.
  public var combining: [CostCurve.Point] = []
  /// One sends: the mean of a message that is added and one back that replaces.
  public var oneWay: [CostCurve.Point] = []

  public init(replacing: [CostCurve.Point]) { self.replacing = replacing }

  public var isEmpty: Bool { replacing.isEmpty }
}

extension CostModel {
  /// The model whose curves go through the measured points.
  ///
  /// Where only one kind of link was there, the other is taken to be the same; where none was,
  /// messages are free. Ranks of a node are taken to meet in the time of an empty message.
  public static func fitted(
    from measurements: Measurements, ranksPerNode: Int, placement: Placement = .node,
    segmentBytes: Int = CostModel.executorSegmentBytes
  ) -> CostModel {
    func link(_ points: LinkPoints) -> LinkModel? {
      points.isEmpty ? nil : LinkModel(points)
    }
    let (within, between) = (link(measurements.withinNode), link(measurements.betweenNodes))
    let free = LinkModel(alpha: 0, bandwidth: .infinity)
    let withinNode = within ?? between ?? free
    return CostModel(
      withinNode: withinNode, betweenNodes: between ?? within ?? free,
      reduction: CostCurve(through: measurements.reduction),
      windowCopy: CostCurve(through: measurements.copy), synchronization: withinNode.alpha,
      ranksPerNode: ranksPerNode, placement: placement, segmentBytes: segmentBytes)
  }
}
