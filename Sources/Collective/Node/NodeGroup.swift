import Kernels

/// The ranks of one node, as one of them sees them: the memory that they share, and the calls that
/// they have under way, first come first served.
final class NodeGroup {
  let board: NodeBoard
  let operands: UnsafeMutableBufferPointer<UnsafeRawPointer>
  /// This rank's number on its node, and how many there are.
  let rank: Int
  let size: Int
  /// Ranks of the whole group, by local rank.
  let members: [Int]
  /// Of calls whose buffers have one plane, and of those whose buffers have more.
  let ranks: NodeTerms
  let planes: NodeTerms?

  private var regions: [SharedRegion] = []
  /// From the first call that has not completed.
  private var queue: [NodeAllreduce] = []
  private var started = 0
  private var pieces = 0
  /// What was last seen of the others' counters.
  private var seen: [[Int]]

  /// - Parameters:
  ///   - segments: of every local rank, `NodeBoard.byteCount` bytes each.
  ///   - planes: nil where buffers have one plane.
  init(
    members: [Int], rank: Int, segments: [UnsafeMutableRawPointer], planes: NodeTerms? = nil
  ) {
    self.members = members
    self.rank = rank
    size = members.count
    ranks = NodeTerms(ranks: members.count)
    self.planes = planes
    board = NodeBoard(segments: segments)
    seen = Array(
      repeating: Array(repeating: 0, count: members.count), count: NodeBoard.Counter.allCases.count)
    queue.reserveCapacity(64)
    operands = .allocate(capacity: max(members.count, planes?.terms.count ?? 0))
  }

  deinit {
    board.deallocate()
    operands.deallocate()
  }

  /// Makes memory known in which buffers may lie; all ranks in the same order.
  func add(_ region: SharedRegion) { regions.append(region) }

  /// Where `byteCount` bytes from `base` on lie, if they lie in one region.
  func location(of base: UnsafeRawPointer, byteCount: Int) -> SharedLocation {
    for (number, region) in regions.enumerated() {
      let start = UnsafeRawPointer(region.segments[rank])
      if base >= start && base + byteCount <= start + region.byteCount {
        return SharedLocation(region: number, offset: base - start)
      }
    }
    return .elsewhere
  }

  func address(of location: SharedLocation, rank: Int) -> UnsafeMutableRawPointer {
    regions[location.region].segments[rank] + location.offset
  }

  /// Puts a call behind those that are under way. All ranks of the node make the same calls in the
  /// same order.
  func start(_ operation: NodeAllreduce) throws {
    operation.begin(number: started, firstPiece: pieces)
    started += 1
    pieces += operation.pieceCount
    queue.append(operation)
    try progress()
  }

  /// The number of a call that does not go through the queue.
  func takeNumber() -> Int {
    precondition(queue.isEmpty)
    started += 1
    return started - 1
  }

  /// Moves the calls under way as far as they go without waiting.
  func progress() throws {
    while let first = queue.first {
      guard try first.advance() else { break }
      queue.removeFirst()
    }
    // The others need not wait for this rank's arrival until it has completed what came before.
    // (Its own announcements are kept as many deep as the others', from the first call on.)
    for operation in queue.prefix(NodeBoard.depth).dropFirst() { operation.announceIfPossible() }
  }

  /// Whether `counter` of every rank is at least `value`.
  func haveAll(_ counter: NodeBoard.Counter, reached value: Int) -> Bool {
    for peer in 0..<size where peer != rank && seen[counter.rawValue][peer] < value {
      let count = board.count(counter, of: peer)
      seen[counter.rawValue][peer] = count
      if count < value { return false }
    }
    return true
  }

  /// Ranks that have not yet arrived at the call that this rank waits for.
  var absentees: [Int] { queue.first.map { absentees($0.number) } ?? [] }
}

/// Memory of which every rank of a node has a segment.
struct SharedRegion {
  /// As this process sees them, by local rank.
  var segments: [UnsafeMutableRawPointer]
  /// Bytes of each.
  var byteCount: Int
}
