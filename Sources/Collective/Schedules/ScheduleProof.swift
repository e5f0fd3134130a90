/// Runs the schedules of all ranks of an allreduce symbolically, in one process, and throws unless
///
/// - every output holds every rank's input exactly once, in every element;
/// - it ends even if every send is synchronous (completes only once its receive has started);
/// - no rank writes what it is sending, or writes one element twice, in the same round.
///
/// An element's value is the set of ranks whose input it contains. Elements that no transfer tells
/// apart are one interval, so the cost does not depend on the count.
public struct ScheduleProof {
  /// Rounds of the longest schedule.
  public let rounds: Int
  /// Elements that each rank sends.
  public let elementsSent: [Int]

  /// - Parameter schedules: one per rank, in order.
  /// - Throws: `ScheduleFault`, the first one found.
  public init(_ schedules: [Schedule]) throws(ScheduleFault) {
    try ScheduleProof.checkLocally(schedules)
    var run = SymbolicRun(schedules)
    try run.execute()
    rounds = schedules.map(\.rounds.count).max() ?? 0
    elementsSent = schedules.map(\.elementsSent)
  }

  /// What can be seen in one schedule alone: peers, ranges, and races within a round.
  private static func checkLocally(_ schedules: [Schedule]) throws(ScheduleFault) {
    for (rank, schedule) in schedules.enumerated() {
      guard schedule.rank == rank, schedule.size == schedules.count,
        schedule.count == schedules[0].count
      else { throw .inconsistent(rank: rank) }
      for (number, round) in schedule.rounds.enumerated() {
        for (i, a) in round.transfers.enumerated() {
          guard a.peer != rank, schedules.indices.contains(a.peer), a.range.lowerBound >= 0,
            a.range.upperBound <= schedule.count, !a.range.isEmpty
          else { throw .invalid(rank: rank, round: number, transfer: a) }
          for b in round.transfers.dropFirst(i + 1) where a.range.overlaps(b.range) {
            let received = [a, b].filter { $0.direction == .receive }
            if received.count == 2 || received.count == 1 && !received[0].isReduced {
              throw .race(rank: rank, round: number, a, b)
            }
          }
        }
      }
    }
  }
}

/// Why a set of schedules is not a correct allreduce.
public enum ScheduleFault: Error, Equatable {
  /// Rank, size or count differ from those of the other schedules.
  case inconsistent(rank: Int)
  /// A peer or a range that does not exist.
  case invalid(rank: Int, round: Int, transfer: Transfer)
  /// Two transfers of one round touch the same elements, and at least one writes them.
  case race(rank: Int, round: Int, Transfer, Transfer)
  /// What one side sends is not what the other expects.
  case mismatch(sender: Int, sent: Range<Int>, receiver: Int, expected: Range<Int>)
  /// These ranks wait, each in its round, for ranks that never come.
  case deadlock(waiting: [Int: Int])
  /// A rank adds inputs that it already has.
  case duplicate(rank: Int, round: Int, range: Range<Int>)
  /// At the end an element of `rank` lacks the inputs of `missing`.
  case incomplete(rank: Int, element: Int, missing: [Int])
}

/// All ranks at once, each advancing to its next round when its current transfers have been matched.
private struct SymbolicRun {
  let schedules: [Schedule]
  /// Interval i is the elements boundaries[i]..<boundaries[i + 1].
  let boundaries: [Int]
  let intervalAt: [Int: Int]
  /// Words of a set of ranks.
  let words: Int
  /// contents[(rank * intervals + interval) * words...]: the set of ranks whose input is in there.
  var contents: [UInt64]

  var position: [Int]
  var outstanding: [Int]
  /// Posted and not yet matched, by sender * size + receiver, in the order of posting.
  var sends: [[(range: Range<Int>, contents: [UInt64])]]
  var receives: [[Transfer]]
  /// What has arrived for the current round of a rank.
  var arrived: [[(transfer: Transfer, contents: [UInt64])]]
  var ready: [Int] = []

  var size: Int { schedules.count }
  var intervals: Int { boundaries.count - 1 }

  init(_ schedules: [Schedule]) {
    self.schedules = schedules
    let count = schedules.first?.count ?? 0
    var cuts: Set<Int> = [0, count]
    for schedule in schedules {
      for round in schedule.rounds {
        for transfer in round.transfers {
          cuts.insert(transfer.range.lowerBound)
          cuts.insert(transfer.range.upperBound)
        }
      }
    }
    boundaries = cuts.sorted()
    intervalAt = Dictionary(uniqueKeysWithValues: zip(boundaries, 0...))
    let size = schedules.count
    words = (size + 63) / 64
    contents = Array(repeating: 0, count: size * (boundaries.count - 1) * words)
    position = Array(repeating: -1, count: size)
    outstanding = Array(repeating: 0, count: size)
    sends = Array(repeating: [], count: size * size)
    receives = Array(repeating: [], count: size * size)
    arrived = Array(repeating: [], count: size)
    for rank in 0..<size {
      for interval in 0..<boundaries.count - 1 {
        contents[(rank * (boundaries.count - 1) + interval) * words + rank / 64] = 1 << (rank % 64)
      }
    }
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
    try checkResult()
  }

  private mutating func startRound(of rank: Int) throws(ScheduleFault) {
    position[rank] += 1
    guard position[rank] < schedules[rank].rounds.count else { return }
    let transfers = schedules[rank].rounds[position[rank]].transfers
    outstanding[rank] = transfers.count
    if transfers.isEmpty { ready.append(rank) }
    for transfer in transfers {
      if transfer.direction == .send {
        sends[rank * size + transfer.peer].append(
          (transfer.range, Array(contents[slots(rank, transfer.range)])))
        try match(sender: rank, receiver: transfer.peer)
      } else {
        receives[transfer.peer * size + rank].append(transfer)
        try match(sender: transfer.peer, receiver: rank)
      }
    }
  }

  /// Messages between two ranks do not overtake each other: the first posted send meets the first
  /// posted receive.
  private mutating func match(sender: Int, receiver: Int) throws(ScheduleFault) {
    let pair = sender * size + receiver
    guard !sends[pair].isEmpty, !receives[pair].isEmpty else { return }
    let send = sends[pair].removeFirst()
    let receive = receives[pair].removeFirst()
    guard send.range == receive.range else {
      throw .mismatch(
        sender: sender, sent: send.range, receiver: receiver, expected: receive.range)
    }
    arrived[receiver].append((receive, send.contents))
    for rank in [sender, receiver] {
      outstanding[rank] -= 1
      if outstanding[rank] == 0 { ready.append(rank) }
    }
  }

  private mutating func finishRound(of rank: Int) throws(ScheduleFault) {
    for (transfer, incoming) in arrived[rank] {
      let target = slots(rank, transfer.range)
      for (slot, word) in zip(target, incoming) {
        if transfer.payload == .result {
          contents[slot] = word
        } else if contents[slot] & word == 0 {
          contents[slot] |= word
        } else {
          throw .duplicate(rank: rank, round: position[rank], range: transfer.range)
        }
      }
    }
    arrived[rank].removeAll(keepingCapacity: true)
  }

  private func checkResult() throws(ScheduleFault) {
    for rank in 0..<size {
      for interval in 0..<intervals where boundaries[interval] < boundaries[interval + 1] {
        let start = (rank * intervals + interval) * words
        let missing = (0..<size).filter { contents[start + $0 / 64] >> ($0 % 64) & 1 == 0 }
        guard missing.isEmpty else {
          throw .incomplete(rank: rank, element: boundaries[interval], missing: missing)
        }
      }
    }
  }

  private func slots(_ rank: Int, _ range: Range<Int>) -> Range<Int> {
    let base = rank * intervals
    return (base + intervalAt[range.lowerBound]!) * words..<(base + intervalAt[range.upperBound]!)
      * words
  }
}
