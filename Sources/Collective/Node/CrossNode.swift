import Kernels

/// What the owners of a chunk do between nodes: each piece's partial sums go through an allreduce
/// of their own among the ranks that have the same number on every node.
final class CrossNode {
  /// Chunks that travel side by side: the number of ranks of the smallest node.
  let lanes: Int
  private let executor: ScheduleExecutor
  private let algorithm: Choice
  private let places: UnsafeMutableRawPointer
  private var runs: [LentRun?]

  /// The algorithm for a chunk of so many bytes of a type, with planes or not.
  typealias Choice = (
    _ byteCount: Int, _ type: ElementType, _ hasPlanes: Bool
  ) -> AllreduceAlgorithm

  /// - Parameters:
  ///   - lane: one rank of every node, in the order of nodes.
  ///   - tree: over nodes, of sums that have planes.
  init(
    lane: any PointToPoint, lanes: Int, tags: Range<Int>, segmentSize: Int, tree: SumTree?,
    algorithm: @escaping Choice
  ) {
    self.lanes = lanes
    self.algorithm = algorithm
    executor = ScheduleExecutor(over: lane, tags: tags, segmentSize: segmentSize, tree: tree)
    places = .allocate(
      byteCount: NodeBoard.slots * NodeBoard.slotSize, alignment: AlignedBuffer.alignment)
    runs = Array(repeating: nil, count: NodeBoard.slots)
  }

  deinit { places.deallocate() }

  /// Where a piece's partial results are until they are sent off.
  func place(_ piece: Int) -> UnsafeMutableRawPointer {
    places + piece % NodeBoard.slots * NodeBoard.slotSize
  }

  /// Differs whenever a segment has arrived or left.
  var progressMark: Int { runs.reduce(0) { $0 &+ ($1?.run.progressMark ?? 0) } }

  /// Sends off the partial results in the piece's place. All nodes' are added up there, and
  /// finished in `target`: of 16-bit elements, sums travel as floats, results as elements.
  /// - Parameters:
  ///   - share: elements that the lane moves in the whole call: they decide on the algorithm, since
  ///     pieces follow each other without a gap.
  ///   - planeStride: bytes from one plane of the place to the next; nil where there is one.
  func start(
    _ piece: Int, count: Int, ofShare share: Int, planeStride: Int?, reducer: Reducer,
    into target: UnsafeMutableRawPointer
  ) throws {
    let hasPlanes = planeStride != nil
    let algorithm = algorithm(share * reducer.elementSize, reducer.type, hasPlanes)
    let key = ScheduleExecutor.Key(
      algorithm: .allreduce(algorithm), count: count, type: reducer.type, hasPlanes: hasPlanes,
      input: .partials)
    runs[piece % NodeBoard.slots] = try executor.start(
      key, fromPartials: place(piece), into: target, planeStride: planeStride ?? 0,
      reducer: reducer, siblings: NodeBoard.slots)
  }

  /// Whether the piece's results are complete.
  func progress(_ piece: Int) throws -> Bool {
    // Pieces behind it go on too.
    for lent in runs { _ = try lent?.run.progress() }
    let slot = piece % NodeBoard.slots
    guard let lent = runs[slot] else { return true }
    guard lent.run.isComplete else { return false }
    lent.retire()
    runs[slot] = nil
    return true
  }
}
