/// All ranks at once, each advancing to its next round when its current transfers have been
/// matched.
///
/// An element's value is the set of terms that it contains: the ranks' inputs, or those of a
/// `SumTree`. The empty set is an undefined element.
struct SymbolicRun {
  private let schedules: [Schedule]
  private let goal: Goal
  private let tree: SumTree?
  /// Of the tree, or one for each rank.
  private let terms: [SumTree.Term]
  /// The first term of each rank.
  private let firstTerms: [Int]
  private let planes: Int
  /// Interval i is the elements boundaries[i]..<boundaries[i + 1].
  private let boundaries: [Int]
  private let intervalAt: [Int: Int]
  /// Words of a set of terms.
  private let words: Int
  /// contents[((rank * planes + plane) * intervals + interval) * words...]: the set that is in there.
  private var contents: [UInt64]
  /// complete[interval * words...]: the set that belongs in there.
  private var complete: [UInt64]

  private var position: [Int]
  private var outstanding: [Int]
  /// Posted and not yet matched, by sender * size + receiver, in the order of posting.
  private var sends: [[Transfer]]
  private var receives: [[Transfer]]
  /// What has arrived for the current round of a rank: transfers, and their contents one behind the
  /// other.
  private var arrivals: [(transfers: [Transfer], contents: [UInt64])]
  private var ready: [Int] = []

  private var size: Int { schedules.count }
  private var intervals: Int { boundaries.count - 1 }

  /// - Parameter schedules: one per rank, of one size and count, with ranges within the buffer.
  init(_ schedules: [Schedule], goal: Goal, tree: SumTree?) {
    self.schedules = schedules
    self.goal = goal
    self.tree = tree
    let terms = (tree ?? SumTree(ofRanks: max(schedules.count, 1))).terms
    self.terms = terms
    firstTerms = schedules.indices.map { rank in terms.firstIndex { $0.rank == rank }! }
    planes = tree?.planes ?? 1
    let size = schedules.count
    let count = schedules.first?.count ?? 0
    boundaries = SymbolicRun.boundaries(of: schedules, goal: goal, count: count)
    intervalAt = Dictionary(uniqueKeysWithValues: zip(boundaries, 0...))
    words = (terms.count + 63) / 64
    complete = Array(repeating: 0, count: (boundaries.count - 1) * words)
    contents = Array(repeating: 0, count: size * planes * complete.count)
    position = Array(repeating: -1, count: size)
    outstanding = Array(repeating: 0, count: size)
    sends = Array(repeating: [], count: size * size)
    receives = Array(repeating: [], count: size * size)
    arrivals = Array(repeating: ([], []), count: size)
    for interval in 0..<intervals {
      let contributors = goal.contributors(to: chunk(of: interval), size: size)
      for (number, term) in terms.enumerated() where contributors.contains(term.rank) {
        let bit: UInt64 = 1 << (number % 64)
        complete[interval * words + number / 64] |= bit
        contents[slot(term.rank, plane: term.plane, interval) + number / 64] |= bit
      }
    }
  }

  /// The ends of what is sent, and of chunks where they matter. What is received without having
  /// been sent never arrives.
  private static func boundaries(of schedules: [Schedule], goal: Goal, count: Int) -> [Int] {
    var cuts: Set<Int> = [0, count]
    if goal.dependsOnChunk {
      let chunks = Chunks(count: count, parts: schedules.count)
      cuts.formUnion(schedules.indices.map { chunks[$0].lowerBound })
    }
    for schedule in schedules {
      for round in schedule.rounds {
        for transfer in round.transfers where transfer.direction == .send {
          cuts.insert(transfer.range.lowerBound)
          cuts.insert(transfer.range.upperBound)
        }
      }
    }
    return cuts.sorted()
  }

  private func chunk(of interval: Int) -> Int {
    Chunks(count: boundaries.last!, parts: size).index(of: boundaries[interval])
  }

  mutating func execute() throws(ScheduleFault) {
    ready = Array(0..<size)
    while let rank = ready.popLast() {
      try finishRound(of: rank)
      try startRound(of: rank)
    }
    let waiting = (0..<size).filter { position[$0] < schedules[$0].rounds.count }
    guard waiting.isEmpty else {
      throw .deadlock(
        waiting: Dictionary(uniqueKeysWithValues: waiting.map { ($0, position[$0]) }))
    }
    try checkGoal()
  }

  private mutating func startRound(of rank: Int) throws(ScheduleFault) {
    position[rank] += 1
    guard position[rank] < schedules[rank].rounds.count else { return }
    let transfers = schedules[rank].rounds[position[rank]].transfers
    outstanding[rank] = transfers.count
    if transfers.isEmpty { ready.append(rank) }
    for transfer in transfers {
      if transfer.peer == rank {
        try checkPayload(of: transfer, from: rank)
        deliver(transfer, from: rank, to: rank)
      } else if transfer.direction == .send {
        try checkPayload(of: transfer, from: rank)
        sends[rank * size + transfer.peer].append(transfer)
        try match(sender: rank, receiver: transfer.peer)
      } else {
        receives[transfer.peer * size + rank].append(transfer)
        try match(sender: transfer.peer, receiver: rank)
      }
    }
  }

  /// Whether what is sent is there, and is what the transfer says.
  private func checkPayload(of transfer: Transfer, from rank: Int) throws(ScheduleFault) {
    let first = intervalAt[transfer.range.lowerBound]!
    for interval in first..<intervalAt[transfer.range.upperBound]! {
      let start = slot(rank, plane: transfer.plane, interval)
      let own = firstTerms[rank] + transfer.plane
      var (isEmpty, isComplete, isOwn) = (true, true, true)
      for word in 0..<words {
        let set = contents[start + word]
        if set != 0 { isEmpty = false }
        if set != complete[interval * words + word] { isComplete = false }
        if set != (word == own / 64 ? 1 << (own % 64) : 0) { isOwn = false }
      }
      if isEmpty { throw .undefined(rank: rank, round: position[rank], transfer: transfer) }
      if transfer.payload == .input && !isOwn || transfer.payload == .result && !isComplete {
        throw .wrongPayload(rank: rank, round: position[rank], transfer: transfer)
      }
    }
  }

  /// Messages between two ranks do not overtake each other: the first posted send meets the first
  /// posted receive. The sender is still in its round, so its contents are those of the round's
  /// start.
  private mutating func match(sender: Int, receiver: Int) throws(ScheduleFault) {
    let pair = sender * size + receiver
    guard let send = sends[pair].first, let receive = receives[pair].first else { return }
    sends[pair].removeFirst()
    receives[pair].removeFirst()
    guard send.range == receive.range, send.payload == receive.payload, send.plane == receive.plane
    else {
      throw .mismatch(sender: sender, sent: send, receiver: receiver, expected: receive)
    }
    deliver(receive, from: sender, to: receiver)
    complete(oneTransferOf: sender)
  }

  private mutating func deliver(_ receive: Transfer, from sender: Int, to receiver: Int) {
    arrivals[receiver].transfers.append(receive)
    arrivals[receiver].contents.append(
      contentsOf: contents[slots(sender, plane: receive.plane, receive.range)])
    complete(oneTransferOf: receiver)
  }

  private mutating func complete(oneTransferOf rank: Int) {
    outstanding[rank] -= 1
    if outstanding[rank] == 0 { ready.append(rank) }
  }

  private mutating func finishRound(of rank: Int) throws(ScheduleFault) {
    var next = 0
    for transfer in arrivals[rank].transfers {
      let target = slots(rank, plane: transfer.target, transfer.range)
      if transfer.isReduced { try checkAddition(of: transfer, on: rank, arrived: next) }
      for slot in target {
        let incoming = arrivals[rank].contents[next]
        contents[slot] = transfer.isReduced ? contents[slot] | incoming : incoming
        next += 1
      }
    }
    for transfer in arrivals[rank].transfers where transfer.isReduced {
      try checkSubtree(in: transfer, on: rank)
    }
    arrivals[rank].transfers.removeAll(keepingCapacity: true)
    arrivals[rank].contents.removeAll(keepingCapacity: true)
  }

  /// Whether there is something to add to, without any of the inputs that arrive: nothing can be
  /// added to a complete element.
  private func checkAddition(
    of transfer: Transfer, on rank: Int, arrived: Int
  ) throws(ScheduleFault) {
    let target = slots(rank, plane: transfer.target, transfer.range)
    for start in stride(from: target.lowerBound, to: target.upperBound, by: words) {
      var isEmpty = true
      for slot in start..<start + words {
        if contents[slot] != 0 { isEmpty = false }
        if contents[slot] & arrivals[rank].contents[arrived + slot - target.lowerBound] != 0 {
          throw .duplicate(rank: rank, round: position[rank], range: transfer.range)
        }
      }
      if isEmpty { throw .undefined(rank: rank, round: position[rank], transfer: transfer) }
    }
  }

  /// Whether what has been added up follows the tree: all that a round brings is added along it, and
  /// gives a subtree's sum if it is all of a subtree.
  private func checkSubtree(in transfer: Transfer, on rank: Int) throws(ScheduleFault) {
    guard let tree else { return }
    let target = slots(rank, plane: transfer.target, transfer.range)
    for start in stride(from: target.lowerBound, to: target.upperBound, by: words) {
      let present = terms.indices.filter { contents[start + $0 / 64] >> ($0 % 64) & 1 == 1 }
      let (first, last) = (present.first!, present.last!)
      let end = last + 1 < terms.count ? terms[last + 1].start : tree.leaves
      guard present.count == last - first + 1, tree.isSubtree(terms[first].start..<end) else {
        throw .notASubtree(rank: rank, round: position[rank], range: transfer.range)
      }
    }
  }

  private func checkGoal() throws(ScheduleFault) {
    for rank in 0..<size {
      for interval in 0..<intervals where goal.isDue(chunk(of: interval), on: rank) {
        let start = slot(rank, plane: 0, interval)
        let isComplete = (0..<words).allSatisfy {
          contents[start + $0] == complete[interval * words + $0]
        }
        guard isComplete else {
          let due = goal.contributors(to: chunk(of: interval), size: size)
          throw .incomplete(
            rank: rank, element: boundaries[interval],
            missing: terms.indices.filter {
              due.contains(terms[$0].rank) && contents[start + $0 / 64] >> ($0 % 64) & 1 == 0
            })
        }
      }
    }
  }

  private func slot(_ rank: Int, plane: Int, _ interval: Int) -> Int {
    ((rank * planes + plane) * intervals + interval) * words
  }

  private func slots(_ rank: Int, plane: Int, _ range: Range<Int>) -> Range<Int> {
    slot(
      rank, plane: plane, intervalAt[range.lowerBound]!)..<slot(
        rank, plane: plane, intervalAt[range.upperBound]!)
  }
}
