import Foundation

/// All ranks of a collective on their way through its rounds, a clock for each.
///
/// Sendable to its own threads only: a rank's state is written by the one thread that has the rank.
final class ScheduleWalk: @unchecked Sendable {
  private let collective: any ScheduleGenerator
  private let model: CostModel
  private let width: ElementWidth
  private let copies: Int
  private let size: Int
  /// Whether costs depend on the kind of a round.
  private let isMeasured: Bool
  private let ranks: UnsafeMutableBufferPointer<Traveller>
  private let nodes: UnsafeMutableBufferPointer<Ports>
  private var rounds = 0

  init(_ collective: any ScheduleGenerator, on model: CostModel, width: ElementWidth, copies: Int) {
    self.collective = collective
    self.model = model
    self.width = width
    self.copies = copies
    size = collective.size
    isMeasured = model.withinNode.measured != nil || model.betweenNodes.measured != nil
    ranks = .allocate(capacity: size)
    for rank in 0..<size {
      ranks.initializeElement(at: rank, to: Traveller(node: model.node(of: rank, size: size)))
    }
    nodes = .allocate(capacity: model.nodes(size: size))
    nodes.initialize(repeating: Ports())
  }

  deinit {
    ranks.deinitialize().deallocate()
    nodes.deinitialize().deallocate()
  }

  /// All ranks go through round `number`.
  func advance(through number: Int) {
    rounds += 1
    forEachRank { self.load($0, round: number) }
    for node in nodes.indices { nodes[node].clear() }
    var unmatched: UInt64 = 0
    for rank in ranks.indices {
      nodes[ranks[rank].node].add(ranks[rank].acrossNodes)
      unmatched &+= ranks[rank].unmatched
    }
    precondition(unmatched == 0, "round \(number): what is sent is not what is received")
    forEachRank { self.finish($0, round: number) }
    for rank in ranks.indices { ranks[rank].clock = ranks[rank].end }
  }

  var price: Price {
    var price = Price(seconds: 0, rounds: rounds, bytesSent: 0, bytesPerNodeLink: 0, messages: 0)
    var crossed = Array(repeating: (out: 0, into: 0), count: nodes.count)
    for rank in ranks {
      price.seconds = max(price.seconds, rank.clock)
      price.bytesSent = max(price.bytesSent, rank.bytesSent)
      price.messages += copies * rank.messages
      crossed[rank.node].out += copies * rank.crossed.out
      crossed[rank.node].into += copies * rank.crossed.into
    }
    price.bytesPerNodeLink = crossed.reduce(0) { max($0, $1.out, $1.into) }
    return price
  }

  /// Puts the round's transfers on the links.
  private func load(_ rank: Int, round number: Int) {
    let round = collective.round(number, of: rank)
    ranks[rank].begin(round)
    let kind = isMeasured ? RoundKind(round) : .replacing
    for transfer in round.transfers where transfer.peer != rank {
      let bytes = transfer.range.count * width.bytes(of: transfer.payload)
      let isSent = transfer.direction == .send
      if isSent {
        ranks[rank].bytesSent += bytes
        ranks[rank].messages += 1
      }
      ranks[rank].unmatched &+=
        isSent
        ? fingerprint(from: rank, to: transfer.peer, transfer.range)
        : 0 &- fingerprint(from: transfer.peer, to: rank, transfer.range)
      let start = max(ranks[rank].clock, ranks[transfer.peer].clock)
      if ranks[rank].node == ranks[transfer.peer].node {
        let cost = model.withinNode.cost(of: kind)
        ranks[rank].withinNode[transfer.direction].add(
          start: start, busy: cost.transfer.seconds(bytes), alpha: cost.alpha)
      } else {
        let cost = model.betweenNodes.cost(of: kind)
        ranks[rank].acrossNodes[transfer.direction].add(
          start: start, busy: cost.transfer.seconds(bytes) * Double(copies), alpha: cost.alpha)
        if isSent { ranks[rank].crossed.out += bytes } else { ranks[rank].crossed.into += bytes }
      }
    }
  }

  /// Reads off the links when the round ends for `rank`.
  private func finish(_ rank: Int, round number: Int) {
    let clock = ranks[rank].clock
    var end = clock
    var reducedBytes = 0
    /// When the first segment of what is reduced has arrived, and when everything has.
    var first = Double.infinity
    var last = 0.0
    for transfer in ranks[rank].takeRound() ?? collective.round(number, of: rank).transfers {
      if transfer.peer == rank {
        // One of the rank's own planes: it is there.
        reducedBytes += transfer.range.count * width.bytes(of: transfer.payload)
        (first, last) = (min(first, clock), max(last, clock))
        continue
      }
      let (from, to) =
        transfer.direction == .send ? (rank, transfer.peer) : (transfer.peer, rank)
      let isWithin = ranks[from].node == ranks[to].node
      let link = isWithin ? model.withinNode : model.betweenNodes
      let sent = isWithin ? ranks[from].withinNode.out : nodes[ranks[from].node].out
      let received = isWithin ? ranks[to].withinNode.into : nodes[ranks[to].node].into
      let arrival = max(sent.end, received.end)
      end = max(end, arrival)
      if transfer.isReduced && link.measured == nil {
        let bytes = transfer.range.count * width.bytes(of: transfer.payload)
        let start = max(clock, ranks[transfer.peer].clock)
        reducedBytes += bytes
        first = min(first, start + link.seconds(min(bytes, model.segmentBytes)))
        last = max(last, arrival)
      }
    }
    if reducedBytes > 0 {
      // Either all segments but the last are reduced while others arrive, or arithmetic is the
      // slower one and never waits after the first.
      let segment = model.reduction.seconds(min(reducedBytes, model.segmentBytes))
      end = max(end, last + segment, first + model.reduction.seconds(reducedBytes))
    }
    ranks[rank].end = end
  }

  /// The same for both sides of a transfer, and hardly for any other: in a round whose transfers
  /// all meet, the sides' sum cancels out.
  private func fingerprint(from: Int, to: Int, _ range: Range<Int>) -> UInt64 {
    var hash = UInt64(truncatingIfNeeded: from &* size &+ to) &* 0x9e37_79b9_7f4a_7c15
    hash = (hash ^ UInt64(truncatingIfNeeded: range.lowerBound)) &* 0xbf58_476d_1ce4_e5b9
    hash = (hash ^ (hash >> 31) ^ UInt64(truncatingIfNeeded: range.upperBound))
    hash &*= 0x94d0_49bb_1331_11eb
    return hash ^ (hash >> 29)
  }

  /// `body` touches no rank's state but its own, so many ranks are worth several threads.
  private func forEachRank(_ body: @Sendable (Int) -> Void) {
    let threads = size < 1024 ? 1 : ProcessInfo.processInfo.activeProcessorCount
    guard threads > 1 else {
      for rank in 0..<size { body(rank) }
      return
    }
    DispatchQueue.concurrentPerform(iterations: threads) { thread in
      for rank in thread * size / threads..<(thread + 1) * size / threads { body(rank) }
    }
  }
}

/// One rank on its way.
private struct Traveller {
  let node: Int
  /// When the current round began and when it ends, in seconds.
  var clock = 0.0
  var end = 0.0

  /// What the current round puts on the rank's own links, and on its node's.
  var withinNode = Ports()
  var acrossNodes = Ports()
  /// Fingerprints of what the round sends less those of what it receives.
  var unmatched: UInt64 = 0

  var bytesSent = 0
  var messages = 0
  /// Bytes that crossed the node's link for this rank.
  var crossed = (out: 0, into: 0)

  /// The round's transfers, unless they are so many that they are better made again.
  private var kept: [Transfer]?

  init(node: Int) { self.node = node }

  mutating func begin(_ round: Round) {
    kept = round.transfers.count <= 64 ? round.transfers : nil
    withinNode.clear()
    acrossNodes.clear()
    unmatched = 0
  }

  mutating func takeRound() -> [Transfer]? {
    defer { kept = nil }
    return kept
  }
}

/// The two directions of a link.
private struct Ports {
  var out = Load()
  var into = Load()

  subscript(direction: Transfer.Direction) -> Load {
    get { direction == .send ? out : into }
    set { if direction == .send { out = newValue } else { into = newValue } }
  }

  mutating func add(_ other: Ports) {
    out.add(start: other.out.start, busy: other.out.busy, alpha: other.out.alpha)
    into.add(start: other.into.start, busy: other.into.busy, alpha: other.into.alpha)
  }

  mutating func clear() { self = Ports() }
}

/// One direction of a link in one round: when the last of its transfers can begin, how long all of
/// them keep it busy, and how much later they have arrived.
private struct Load {
  var start = 0.0
  var busy = 0.0
  var alpha = 0.0
  var end: Double { start + busy + alpha }

  mutating func add(start: Double, busy: Double, alpha: Double) {
    self.start = max(self.start, start)
    self.busy += busy
    self.alpha = max(self.alpha, alpha)
  }
}
