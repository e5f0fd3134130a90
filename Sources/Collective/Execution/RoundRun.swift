/// A round of a schedule, with how far each of its transfers has come. It is looked at again and
/// again while a rank waits: plain memory, in which nothing is counted or checked at every look.
struct RoundRun {
  /// A send, or a receive that replaces.
  struct Movement {
    let transfer: Transfer
    let lane: Int
    /// Whether it sends partial results that are only the input so far.
    let isInput: Bool
    var flow: Flow
  }

  /// Receives of one range, which are reduced together segment by segment.
  struct Gathering {
    let range: Range<Int>
    let payload: Transfer.Payload
    /// The plane that is reduced into.
    let target: Int
    /// Whether what it is added to is the input.
    let isInput: Bool
    let operands: UnsafeMutableBufferPointer<Operand>
    /// Of each operand, its first leaf in the sum's tree; nil where operands are leaves.
    let starts: UnsafeMutableBufferPointer<Int>?
    /// The place of the target itself among the operands.
    let ownPosition: Int
    /// The round's send, if there is one, of elements that the reduction overwrites.
    let send: Int?
    let peers: UnsafeMutableBufferPointer<Peer>
    /// Segments that may be under way from each peer, and segments that have been reduced.
    let window: Int
    var reduced = 0
    /// Where its staging begins, in bytes: `window` segments for each peer.
    let staging: Int

    var isComplete: Bool { reduced == peers[0].flow.segments }
  }

  enum Operand {
    /// One of this rank's planes.
    case plane(Int)
    /// What has arrived from a peer, by its place among `peers`.
    case peer(Int)
  }

  struct Peer {
    let rank: Int
    let lane: Int
    var flow: Flow
  }

  /// Copied from the input, and then finished, before the round's transfers start.
  let copies: UnsafeMutableBufferPointer<Range<Int>>
  let finishes: UnsafeMutableBufferPointer<Range<Int>>
  let sends: UnsafeMutableBufferPointer<Movement>
  let replacements: UnsafeMutableBufferPointer<Movement>
  let gatherings: UnsafeMutableBufferPointer<Gathering>
  /// Bytes of staging that the round needs.
  let stagingSize: Int

  /// - Parameters:
  ///   - segment: elements of a segment.
  ///   - accumulatorSize: bytes of a partial result.
  ///   - tree: the one along which is added; nil for that over ranks.
  init(_ step: ExecutionPlan.Step, segment: Int, accumulatorSize: Int, tree: SumTree?) {
    func flow(_ range: Range<Int>) -> Flow {
      Flow(segments: (range.count + segment - 1) / segment)
    }
    func movement(_ movement: ExecutionPlan.Movement) -> Movement {
      Movement(
        transfer: movement.transfer, lane: movement.lane, isInput: movement.isInput,
        flow: flow(movement.transfer.range))
    }
    var staged = 0
    let gatherings = step.reductions.map { gathering in
      let peers = gathering.peers.map {
        Peer(rank: $0.rank, lane: $0.lane, flow: flow(gathering.range))
      }
      let run = Gathering(
        range: gathering.range, payload: gathering.payload, target: gathering.target,
        isInput: gathering.isInput,
        operands: .allocate(
          copying: gathering.operands.map { $0.peer.map(Operand.peer) ?? .plane($0.plane) }),
        starts: tree.map { tree in
          .allocate(copying: gathering.operands.map { tree.subtrees[$0.rank][$0.plane].lowerBound })
        },
        ownPosition: gathering.ownPosition, send: gathering.send, peers: .allocate(copying: peers),
        window: min(Flow.window, peers[0].flow.segments), staging: staged)
      let largest = min(segment, gathering.range.count) * accumulatorSize
      staged = (staged + peers.count * run.window * largest + 63) / 64 * 64
      return run
    }
    copies = .allocate(copying: step.copies)
    finishes = .allocate(copying: step.finishes)
    sends = .allocate(copying: step.sends.map(movement))
    replacements = .allocate(copying: step.replacements.map(movement))
    self.gatherings = .allocate(copying: gatherings)
    stagingSize = staged
  }

  func deallocate() {
    for gathering in gatherings {
      gathering.peers.deallocate()
      gathering.operands.deallocate()
      gathering.starts?.deallocate()
    }
    copies.deallocate()
    finishes.deallocate()
    sends.deallocate()
    replacements.deallocate()
    gatherings.deallocate()
  }

  /// As before the round's start.
  func reset() {
    for index in sends.indices { sends[index].flow.reset() }
    for index in replacements.indices { replacements[index].flow.reset() }
    for index in gatherings.indices {
      gatherings[index].reduced = 0
      let peers = gatherings[index].peers
      for peer in peers.indices { peers[peer].flow.reset() }
    }
  }

  /// Segments that have arrived or left.
  var completed: Int {
    var sum = 0
    for movement in sends { sum += movement.flow.completed }
    for movement in replacements { sum += movement.flow.completed }
    for gathering in gatherings { for peer in gathering.peers { sum += peer.flow.completed } }
    return sum
  }
}

extension UnsafeMutableBufferPointer {
  /// Memory of its own for what an array holds.
  static func allocate(copying elements: [Element]) -> Self {
    let copy = allocate(capacity: elements.count)
    _ = copy.initialize(from: elements)
    return copy
  }
}
