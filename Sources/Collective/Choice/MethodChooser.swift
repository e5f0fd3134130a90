import Foundation
import Kernels

/// Decides for one size class after the other how a group's allreduces are run, and says it once
/// for each.
///
/// All ranks decide alike: they share the measurements, or the table, and make the same calls.
final class MethodChooser {
  private let nodes: NodeMap
  private let isCanonical: Bool
  /// Of buffers with planes, over ranks and over nodes.
  private let tree: SumTree?
  private let nodeTree: SumTree?
  private let log: ((String) -> Void)?
  private var table: TuningTable?
  /// For all ranks, and for the ranks that have the same number on each node; nil to go by the
  /// rules.
  private var models: (all: AlgorithmChoice, lane: AlgorithmChoice)?
  /// Whether ranks of a node meet in shared memory.
  private var sharesMemory = false

  /// By size class and width, for all ranks and for a lane. Every call asks for one: an array in their
  /// place would have each access recorded.
  private let methods: UnsafeMutableBufferPointer<AllreduceMethod?>
  private let lanes: UnsafeMutableBufferPointer<AllreduceAlgorithm?>
  /// Size classes of which something has been said, a bit each.
  private var reported: (methods: UInt64, lanes: UInt64) = (0, 0)

  /// - Parameters:
  ///   - log: is told what was chosen; nil on all ranks but one.
  ///   - tree: where buffers have planes: only methods that add these along it.
  init(
    nodes: NodeMap, isCanonical: Bool, log: ((String) -> Void)?, along tree: SumTree? = nil
  ) {
    self.nodes = nodes
    self.isCanonical = isCanonical || tree != nil
    self.log = log
    self.tree = tree
    nodeTree = tree.flatMap { nodes.tree(over: $0) }.flatMap { $0.isOfRanks ? nil : $0 }
    let slots = (Int.bitWidth + 1) * MethodChooser.widths
    methods = .allocate(copying: Array(repeating: nil, count: slots))
    lanes = .allocate(copying: Array(repeating: nil, count: slots))
  }

  deinit {
    methods.deallocate()
    lanes.deallocate()
  }

  /// Gets ready to go by `choice`. Collective.
  /// - Parameters:
  ///   - sharesMemory: whether ranks of a node meet in shared memory.
  ///   - warn: is told why a table is of no use.
  func prepare(
    _ choice: MethodChoice, over transport: any Transport, kernels: KernelSet, sharesMemory: Bool,
    warn: (String) -> Void
  ) throws {
    self.sharesMemory = sharesMemory
    if case .table(let table) = choice {
      if let mismatch = table.conditions.mismatch(nodes: nodes, sharesMemory: sharesMemory) {
        warn("the tuning table is not used: \(mismatch)")
      } else {
        self.table = table
      }
    }
    guard choice != .rules, nodes.size > 1, !(isHierarchical && nodes.nodes.count == 1) else {
      return
    }
    // Between nodes, a table leaves the choice to the model.
    guard table == nil || isHierarchical else { return }
    let start = ContinuousClock.now
    let measurements = try measureLinks(
      over: transport, kernels: kernels,
      nodes: (0..<nodes.size).map { nodes.node(of: $0) })
    let seconds = (ContinuousClock.now - start).seconds
    log?("links measured in \(String(format: "%.2f", seconds)) s")
    let model = CostModel.fitted(
      from: measurements, ranksPerNode: nodes.nodes.map(\.count).max()!,
      placement: nodes.placement)
    // A lane has one rank of each node.
    var lane = model
    lane.ranksPerNode = 1
    models = (AlgorithmChoice(model), AlgorithmChoice(lane))
  }

  /// Goes by what `other` has measured; a table's methods are those of allreduces.
  func prepare(as other: MethodChooser) {
    sharesMemory = other.sharesMemory
    models = other.models
  }

  /// Whether ranks of a node may combine first.
  private var isHierarchical: Bool {
    guard sharesMemory else { return false }
    return tree != nil ? nodes.areRuns : !isCanonical || nodes.isCanonical
  }

  /// How to run an allreduce of a buffer of `byteCount` bytes.
  func method(byteCount: Int, type: ElementType) -> AllreduceMethod {
    let slot = MethodChooser.slot(byteCount, type)
    if let method = methods[slot] { return method }
    let sizeClass = SizeClass(bytes: byteCount)
    var (method, reason) = (
      AllreduceMethod.hierarchical,
      nodes.nodes.count < nodes.size ? "shared memory" : "piece by piece"
    )
    if let entry = table?.entry(for: sizeClass, canonical: isCanonical),
      isHierarchical || entry.method != .hierarchical
    {
      method = entry.method
      reason = "table: \(MethodChooser.text(entry.microseconds))"
    } else if !isHierarchical {
      let (algorithm, source) = decide(byteCount, type)
      (method, reason) = (.schedule(algorithm), source)
    }
    methods[slot] = method
    if MethodChooser.isFirst(sizeClass, &reported.methods), nodes.size > 1 {
      let what = tree == nil ? "allreduce" : "sum of planes"
      log?("\(what) of \(sizeClass): \(method.rawValue) (\(reason))")
    }
    return method
  }

  /// The schedule for an allreduce that has to go through messages.
  func algorithm(byteCount: Int, type: ElementType) -> AllreduceAlgorithm {
    if case .schedule(let algorithm) = method(byteCount: byteCount, type: type) {
      return algorithm
    }
    return decide(byteCount, type).0
  }

  /// The schedule between nodes for one of their chunks.
  func algorithmBetweenNodes(byteCount: Int, type: ElementType) -> AllreduceAlgorithm {
    let slot = MethodChooser.slot(byteCount, type)
    if let algorithm = lanes[slot] { return algorithm }
    let sizeClass = SizeClass(bytes: byteCount)
    let (algorithm, reason) = decideBetweenNodes(byteCount, type)
    lanes[slot] = algorithm
    if MethodChooser.isFirst(sizeClass, &reported.lanes) {
      let what = tree == nil ? "chunks" : "chunks of planes"
      log?("between nodes, \(what) of \(sizeClass): \(algorithm.rawValue) (\(reason))")
    }
    return algorithm
  }

  private func decide(_ byteCount: Int, _ type: ElementType) -> (AllreduceAlgorithm, String) {
    let decision = models?.all.decide(
      bytes: byteCount, size: nodes.size, canonical: isCanonical,
      width: ElementWidth(bytes: type.byteCount), along: tree)
    return explained(decision, byteCount: byteCount, size: nodes.size, planes: tree != nil)
  }

  private func decideBetweenNodes(
    _ byteCount: Int, _ type: ElementType
  ) -> (AllreduceAlgorithm, String) {
    // All lanes are at work at once.
    let decision = models?.lane.decide(
      bytes: byteCount, size: nodes.nodes.count, canonical: isCanonical,
      width: ElementWidth(bytes: type.byteCount).fromPartials, copies: nodes.lanes,
      along: nodeTree)
    return explained(
      decision, byteCount: byteCount, size: nodes.nodes.count, planes: nodeTree != nil)
  }

  private func explained(
    _ decision: AlgorithmChoice.Decision?, byteCount: Int, size: Int, planes: Bool
  ) -> (AllreduceAlgorithm, String) {
    guard let decision else {
      let algorithm = AllreduceAlgorithm.choice(
        byteCount: byteCount, size: size, canonical: isCanonical, planes: planes)
      return (algorithm, "rules")
    }
    return (decision.algorithm, "model: \(MethodChooser.text(decision.seconds * 1e6))")
  }

  private static func text(_ microseconds: Double) -> String {
    String(format: microseconds < 10 ? "%.1f us" : "%.0f us", microseconds)
  }

  /// Element types have one of three widths: 2, 4 or 8 bytes.
  private static let widths = 3

  private static func slot(_ byteCount: Int, _ type: ElementType) -> Int {
    (SizeClass(bytes: byteCount).exponent + 1) * widths + type.byteCount.trailingZeroBitCount - 1
  }

  private static func isFirst(_ sizeClass: SizeClass, _ reported: inout UInt64) -> Bool {
    let bit: UInt64 = 1 << UInt64(sizeClass.exponent + 1)
    defer { reported |= bit }
    return reported & bit == 0
  }
}

extension NodeMap {
  /// What comes nearest to where the ranks are.
  public var placement: CostModel.Placement {
    nodes[0].elementsEqual(0..<nodes[0].count) ? .node : .roundRobin
  }
}
