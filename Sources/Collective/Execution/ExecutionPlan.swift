/// A rank's schedule, arranged for running: what is reduced together, and when which elements are
/// finished (divided, rounded) because the next transfer sends them as results.
///
/// The input may lie in another buffer than the result: elements of which nothing has been written yet
/// are read from there, so that no copy goes ahead.
struct ExecutionPlan {
  struct Step {
    /// Elements of the input that are copied to the result before the round starts: it reads them
    /// together with others that are there already.
    var copies: [Range<Int>]
    /// Finished before the round's transfers start.
    var finishes: [Range<Int>]
    var sends: [Movement]
    /// Receives of results.
    var replacements: [Movement]
    var reductions: [Gathering]
  }

  /// A send, or a receive that replaces.
  struct Movement {
    var transfer: Transfer
    var lane: Int
    /// Whether it sends partial results that are only the input so far.
    var isInput = false
  }

  /// Receives of one range in one round: reduced together, in the order of ranks and planes.
  struct Gathering {
    var range: Range<Int>
    var payload: Transfer.Payload
    /// The plane that is reduced into.
    var target: Int
    var peers: [(rank: Int, lane: Int)]
    var operands: [Operand]
    /// Whether what it is added to is the input.
    var isInput = false
    /// The place of the target itself among the operands.
    var ownPosition: Int { operands.firstIndex { $0.peer == nil && $0.plane == target }! }
    /// The round's send, if there is one, of elements that the reduction overwrites.
    var send: Int?
  }

  struct Operand {
    /// The peer that it comes from, by its place among `peers`; nil for this rank.
    var peer: Int?
    var rank: Int
    var plane: Int
  }

  /// Transfers between two ranks are told apart by their number, modulo this: more of them than are
  /// ever under way at once, such as all planes of a rank.
  static let lanes = 32

  let steps: [Step]
  /// Finished when all rounds have run.
  let lastFinishes: [Range<Int>]
  /// Whether anything is reduced by any rank.
  let isReducing: Bool

  init(_ schedule: Schedule, goal: Goal) {
    isReducing = goal.isReducing && schedule.size > 1
    var received = RangeSet<Int>()
    for transfer in schedule.rounds.joined where transfer.direction == .receive {
      if transfer.payload == .result { received.insert(contentsOf: transfer.range) }
    }
    var finished = received
    var steps: [Step] = []
    var written = RangeSet<Int>()
    var transfersBefore: [Route: Int] = [:]
    for round in schedule.rounds where !round.transfers.isEmpty {
      var sent = RangeSet<Int>()
      for transfer in round.transfers where transfer.direction == .send {
        if transfer.payload == .result { sent.insert(contentsOf: transfer.range) }
      }
      let finishes = isReducing ? Array(sent.subtracting(finished).ranges) : []
      finished.formUnion(sent)
      let movements = round.transfers.map { transfer in
        let route = Route(peer: transfer.peer, direction: transfer.direction)
        let number = transfersBefore[route, default: 0]
        transfersBefore[route] = number + 1
        return Movement(transfer: transfer, lane: number % ExecutionPlan.lanes)
      }
      let sends = movements.filter { $0.transfer.direction == .send }
      var step = Step(
        copies: [], finishes: finishes, sends: sends,
        replacements: movements.filter {
          $0.transfer.direction == .receive && !$0.transfer.isReduced
        },
        reductions: ExecutionPlan.gatherings(movements, sends: sends, rank: schedule.rank))
      step.findInputs(&written)
      steps.append(step)
    }
    self.steps = steps
    let final = RangeSet(
      goal.finalRange(rank: schedule.rank, size: schedule.size, count: schedule.count))
    lastFinishes = isReducing ? Array(final.subtracting(finished).ranges) : []
  }

  private struct Route: Hashable {
    var peer: Int
    var direction: Transfer.Direction
  }

  private static func gatherings(
    _ movements: [Movement], sends: [Movement], rank: Int
  ) -> [Gathering] {
    var gatherings: [Gathering] = []
    for movement in movements where movement.transfer.isReduced {
      let transfer = movement.transfer
      var index = gatherings.firstIndex {
        $0.range == transfer.range && $0.payload == transfer.payload && $0.target == transfer.target
      }
      if index == nil {
        let overlapping = sends.indices.filter {
          sends[$0].transfer.range.overlaps(transfer.range)
            && sends[$0].transfer.plane == transfer.target
        }
        precondition(overlapping.count <= 1, "a round sends what it reduces to one peer at most")
        gatherings.append(
          Gathering(
            range: transfer.range, payload: transfer.payload, target: transfer.target, peers: [],
            operands: [Operand(peer: nil, rank: rank, plane: transfer.target)],
            send: overlapping.first))
        index = gatherings.count - 1
      }
      var operand = Operand(peer: nil, rank: transfer.peer, plane: transfer.plane)
      if transfer.peer != rank {
        operand.peer = gatherings[index!].peers.count
        gatherings[index!].peers.append((transfer.peer, movement.lane))
      }
      gatherings[index!].operands.append(operand)
    }
    for index in gatherings.indices {
      precondition(!gatherings[index].peers.isEmpty, "a round adds planes when others arrive")
      gatherings[index].operands.sort { ($0.rank, $0.plane) < ($1.rank, $1.plane) }
    }
    return gatherings
  }
}

extension ExecutionPlan.Step {
  /// Finds out what of the result this step reads is still the input.
  /// - Parameter written: elements of the result before the step, and after it.
  fileprivate mutating func findInputs(_ written: inout RangeSet<Int>) {
    let before = written
    // What is partly there has to be there as a whole.
    var read = reductions.map(\.range)
    for movement in sends where movement.transfer.payload == .partial {
      read.append(movement.transfer.range)
    }
    while let index = read.firstIndex(where: { !written.isDisjoint(RangeSet($0)) }) {
      written.insert(contentsOf: read.remove(at: index))
    }
    copies = Array(written.subtracting(before).ranges)
    for index in sends.indices where sends[index].transfer.payload == .partial {
      sends[index].isInput = written.isDisjoint(RangeSet(sends[index].transfer.range))
    }
    for index in reductions.indices {
      reductions[index].isInput = written.isDisjoint(RangeSet(reductions[index].range))
    }
    for reduction in reductions { written.insert(contentsOf: reduction.range) }
    for movement in replacements { written.insert(contentsOf: movement.transfer.range) }
  }
}

extension [Round] {
  /// The transfers of all rounds, one after the other.
  fileprivate var joined: some Sequence<Transfer> { lazy.flatMap(\.transfers) }
}

extension Goal {
  /// Whether elements become the sum of several inputs.
  var isReducing: Bool {
    switch self {
    case .allreduce, .reduceScatter, .reduce: true
    case .allgather, .broadcast: false
    }
  }

  /// The elements that `rank` must have at the end.
  func finalRange(rank: Int, size: Int, count: Int) -> Range<Int> {
    switch self {
    case .allreduce, .allgather, .broadcast: 0..<count
    case .reduceScatter: Chunks(count: count, parts: size)[rank]
    case .reduce(let root): rank == root ? 0..<count : 0..<0
    }
  }
}
