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
  /// Bytes, all planes together, up to which it is cheaper that every rank reads everything than
  /// that all wait a second time. Two ranks mostly have cores of their own, and wait a short time.
  let smallSize: Int
  /// Bytes of the last-level cache that are this rank's, as far as the kernel tells.
  let cacheShare: Int
  /// Of calls whose buffers have one plane, and of those whose buffers have more.
  let ranks: NodeTerms
  let planes: NodeTerms?

  private var regions: [SharedRegion] = []
  /// From the first call that has not completed.
  private var queue: [NodeAllreduce] = []
  private var started = 0
  private var pieces = 0
  /// What was last seen of the counters of each rank.
  private let seen: UnsafeMutableBufferPointer<Int>

  /// - Parameters:
  ///   - segments: of every local rank, `NodeBoard.byteCount` bytes each.
  ///   - planes: nil where buffers have one plane.
  ///   - cacheShare: nil for what this machine has.
  init(
    members: [Int], rank: Int, segments: [UnsafeMutableRawPointer], planes: NodeTerms? = nil,
    cacheShare: Int? = nil
  ) {
    self.members = members
    self.rank = rank
    size = members.count
    smallSize = NodeBoard.messageSize / (size <= 2 ? 4 : size / 2)
    self.cacheShare =
      cacheShare
      ?? DataCache.levels.last.map { $0.byteCount / min($0.cpus, members.count) } ?? .max
    ranks = NodeTerms(ranks: members.count)
    self.planes = planes
    board = NodeBoard(segments: segments)
    seen = .allocate(
      copying: Array(repeating: 0, count: members.count * NodeBoard.Counter.allCases.count))
    queue.reserveCapacity(64)
    operands = .allocate(capacity: max(members.count, planes?.terms.count ?? 0))
  }

  deinit {
    board.deallocate()
    ranks.deallocate()
    planes?.deallocate()
    operands.deallocate()
    seen.deallocate()
  }

  /// - Precondition: there are some, if they are to have planes.
  func terms(hasPlanes: Bool) -> NodeTerms { hasPlanes ? planes! : ranks }

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
    begin(operation)
    queue.append(operation)
    try progress()
  }

  /// Gives a call its number and pieces.
  func begin(_ operation: NodeAllreduce) {
    pieces += operation.pieceCount
    operation.begin(number: takeNumber(), firstPiece: pieces - operation.pieceCount)
  }

  /// The number of a call.
  func takeNumber() -> Int {
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
    let seen = seen.baseAddress! + counter.rawValue * size
    for peer in 0..<size where peer != rank && seen[peer] < value {
      seen[peer] = board.count(counter, of: peer)
      if seen[peer] < value { return false }
    }
    return true
  }

  /// Ranks that have not yet arrived at the call that this rank waits for.
  var absentees: [Int] { queue.first.map { absentees($0.number) } ?? [] }

  /// Ranks that have not announced call `number`.
  func absentees(_ number: Int) -> [Int] {
    (0..<size).filter { $0 != rank && board.announcement(number, of: $0) == nil }
      .map { members[$0] }
  }
}

/// Memory of which every rank of a node has a segment.
struct SharedRegion {
  /// As this process sees them, by local rank.
  var segments: [UnsafeMutableRawPointer]
  /// Bytes of each.
  var byteCount: Int
}
