import Collective
import Kernels
import MPI

/// Predicts how long allreduces over messages take, from what links and arithmetic cost.
///
/// They are measured anew before each size, since the speed of a machine that others use wanders:
/// what is to be judged is the model.
struct AllreducePredictor {
  private let world: Communicator
  private let transport: MPITransport
  private let kernels: KernelSet
  private let nodes: NodeMap
  private let emptyCall: () throws -> Void
  private var model: CostModel?
  /// Seconds of a call that moves nothing: what all algorithms have in common.
  private var callSeconds = 0.0

  /// Bytes that it takes to measure latencies.
  static let leastMemory = 64 << 10
  private static let secondsPerSize = 0.25
  private static let emptyCalls = 300

  /// Collective.
  /// - Parameter emptyCall: an allreduce of no elements.
  init(
    _ world: Communicator, nodes: NodeMap, kernels: InstructionSet,
    emptyCall: @escaping () throws -> Void
  ) throws {
    self.world = world
    self.nodes = nodes
    self.kernels = KernelSet(kernels)
    self.emptyCall = emptyCall
    transport = try MPITransport(world)
  }

  /// Measures what allreduces of `memory` depend on, and overwrites it. Collective.
  mutating func measure(_ memory: UnsafeMutableRawBufferPointer) throws {
    let keys = (0..<world.size).map { rank in
      nodes.nodes.firstIndex { $0.contains(rank) }!
    }
    let measurements = try measureLinks(
      over: transport, kernels: kernels, nodes: keys,
      limits: .init(
        largest: memory.count, secondsPerSize: AllreducePredictor.secondsPerSize),
      memory: memory)
    model = .fitted(
      from: measurements, ranksPerNode: nodes.nodes.map(\.count).max()!,
      placement: nodes.placement)
    var times: [Int64] = []
    for _ in 0..<AllreducePredictor.emptyCalls {
      try world.barrier()
      let start = monotonicNanoseconds()
      try emptyCall()
      times.append(monotonicNanoseconds() - start)
    }
    try times.withUnsafeMutableBufferPointer { try world.allreduce($0, .maximum) }
    callSeconds = Timing(nanoseconds: times).median * 1e-6
  }

  /// Microseconds of a call in place; nil for what the model does not price.
  /// - Precondition: a buffer as large has been measured for.
  func microseconds(_ method: AllreduceMethod, count: Int, type: ElementType) -> Double? {
    guard case .schedule(let algorithm) = method else { return nil }
    let price = AllreducePlan.flat(algorithm).price(
      size: world.size, count: count, on: model!, width: ElementWidth(bytes: type.byteCount))
    return (price.seconds + callSeconds) * 1e6
  }
}

/// How good predictions were.
struct PredictionRecord: Encodable {
  let event = "predictions"
  /// Largest difference of a good one from what was measured, as a part of that.
  let tolerance = 0.25
  var good: Int
  var points: Int

  init(_ results: some Sequence<ResultRecord>) {
    let ratios = results.compactMap(\.predictedByMeasured)
    let tolerance = tolerance
    points = ratios.count
    good = ratios.count { abs($0 - 1) <= tolerance }
  }

  /// The same for people.
  var line: String { "# predictions within 25 %: \(good) of \(points) points" }
}
