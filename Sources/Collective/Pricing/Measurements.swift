/// What was measured on a cluster: times at ascending sizes, the same on all ranks. A link that was not
/// there to be measured has no points.
public struct Measurements: Equatable, Sendable, Codable {
  /// Two ranks of a node send each other a message of this size at the same time; until both have it.
  public var withinNode: [CostCurve.Point]
  /// The same for two ranks on different nodes.
  public var betweenNodes: [CostCurve.Point]
  /// Adding so many bytes to as many others, on all ranks at once.
  public var reduction: [CostCurve.Point]
  /// Copying so many bytes, on all ranks at once.
  public var copy: [CostCurve.Point]

  public init(
    withinNode: [CostCurve.Point], betweenNodes: [CostCurve.Point], reduction: [CostCurve.Point],
    copy: [CostCurve.Point]
  ) {
    self.withinNode = withinNode
    self.betweenNodes = betweenNodes
    self.reduction = reduction
    self.copy = copy
  }
}

extension CostModel {
  /// The model whose curves go through the measured points.
  ///
  /// Where only one kind of link was there, the other is taken to be the same; where none was, messages
  /// are free. Ranks of a node are taken to meet in the time of an empty message.
  public static func fitted(
    from measurements: Measurements, ranksPerNode: Int, placement: Placement = .node,
    segmentBytes: Int = CostModel.executorSegmentBytes
  ) -> CostModel {
    func link(_ points: [CostCurve.Point]) -> LinkModel? {
      points.isEmpty ? nil : LinkModel(messages: points)
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
