import Foundation
import Kernels

/// How far a measurement goes.
public struct MeasurementLimits: Equatable, Sendable {
  /// Bytes of the largest message.
  public var largest: Int
  /// Seconds for the repetitions at one size. Larger ones are measured once, up to those that would
  /// take four times as long.
  public var secondsPerSize: Double

  public init(largest: Int, secondsPerSize: Double) {
    precondition(largest >= 8 && secondsPerSize > 0)
    self.largest = largest
    self.secondsPerSize = secondsPerSize
  }

  /// Enough to choose an algorithm by, in well under a second: messages that caches do not hold, as
  /// far as 64 MB of a node's memory, or 8 of a rank's, have room for them. What is extrapolated from
  /// the caches is too fast for some algorithms, and from their edge too slow for others.
  public static func quick(ranksPerNode: Int) -> MeasurementLimits {
    MeasurementLimits(largest: (32 << 20) / min(max(ranksPerNode, 2), 8), secondsPerSize: 0.02)
  }
}

/// Measures what messages and arithmetic cost. Collective; no other operation may be under way.
///
/// Pairs of ranks run the rounds that schedules are made of, with the executor that runs schedules,
/// on buffers as large as collectives with such messages have: so segments, reductions that overlap
/// with transfers, and caches are in the times. Ranks of a node run in pairs, all pairs at once;
/// then the first ranks of neighbouring nodes do, by themselves. All sizes take their turn several
/// times, so that no disturbance meets all of one; and times are lower quartiles, since a
/// disturbance only adds time.
/// - Parameter nodes: the node of every rank, in order; nodes are numbered from 0.
/// - Parameter limits: nil for the quick ones.
/// - Parameter memory: the buffer of at least `limits.largest` bytes that messages come from and go
///   to, all of which it overwrites; by default one of its own. Where a buffer lies decides how
///   fast it is.
/// - Returns: the same on all ranks.
/// - Throws: what the transport throws.
public func measureLinks(
  over transport: any Transport, kernels: KernelSet, nodes: [Int],
  limits: MeasurementLimits? = nil, memory: UnsafeMutableRawBufferPointer? = nil
) throws -> Measurements {
  precondition(nodes.count == transport.size)
  let node = nodes[transport.rank]
  let local = nodes.indices.filter { nodes[$0] == node }
  let neighbour = local.firstIndex(of: transport.rank)! ^ 1
  let isFirst = local[0] == transport.rank
  let sizes = nodes.indices.reduce(into: [:]) { sizes, rank in sizes[nodes[rank], default: 0] += 1 }
  let limits = limits ?? .quick(ranksPerNode: sizes.values.max()!)
  let ownMemory =
    memory == nil ? AlignedBuffer(count: 2 * limits.largest / MemoryLayout<Float>.size) : nil
  let memory = memory ?? UnsafeMutableRawBufferPointer(ownMemory!.elements)
  memory.initializeMemory(as: UInt8.self, repeating: 0)
  defer { withExtendedLifetime(ownMemory) {} }
  let measurement = LinkMeasurement(
    transport: transport, kernels: kernels, limits: limits, memory: memory)
  return Measurements(
    withinNode: try measurement.rounds(with: neighbour < local.count ? local[neighbour] : nil),
    betweenNodes: try measurement.rounds(with: isFirst ? nodes.firstIndex(of: node ^ 1) : nil),
    reduction: try measurement.time { kernels.add($0, to: $1) },
    copy: try measurement.time { $1.baseAddress!.update(from: $0.baseAddress!, count: $0.count) })
}

private struct LinkMeasurement {
  private static let sweeps = 3
  private static let turnsPerSweep = 6
  /// What a turn of all kinds takes at most.
  private static let roundTripsPerTurn = 4.0
  /// In the seconds that repetitions may take.
  private static let longestTurn = 4.0
  private static let arrayBytes = [8 << 10, 64 << 10, 512 << 10, 2 << 20, 8 << 20]

  let transport: any Transport
  let kernels: KernelSet
  let limits: MeasurementLimits
  let memory: UnsafeMutableRawBufferPointer

  /// From latency to bandwidth, through the usual changes of protocol and the caches.
  private var messageBytes: [Int] {
    [8, 256].filter { $0 <= limits.largest }
      + sequence(first: 1 << 10) { $0 << 1 }.prefix { $0 <= limits.largest }
  }

  /// All kinds of rounds with messages of growing size; ranks without a peer take no part.
  func rounds(with peer: Int?) throws -> LinkPoints {
    // Nobody still measures something else.
    _ = try transport.allgather([])
    let measured = try peer.map { try times(with: $0) } ?? []
    func agreement(_ kind: (Times) -> [Double]) throws -> [CostCurve.Point] {
      try agreed(
        zip(messageBytes, measured).filter { !kind($1).isEmpty }
          .map { .init(bytes: $0, seconds: quartile(kind($1))) })
    }
    var points = LinkPoints(replacing: try agreement(\.replacing))
    points.reducing = try agreement(\.reducing)
    points.combining = try agreement(\.combining)
    points.oneWay = try agreement(\.oneWay)
    return points
  }

  /// Seconds of the rounds of one size, by kind.
  private struct Times {
    var replacing: [Double] = []
    var reducing: [Double] = []
    var combining: [Double] = []
    var oneWay: [Double] = []
  }

  /// - Returns: of every size, as far as they go.
  private func times(with peer: Int) throws -> [Times] {
    let pair = RankPair(
      SubsetTransport([transport.rank, peer].sorted(), of: transport), kernels: kernels,
      memory: memory)
    /// Whether a message to send and one to receive fit.
    func isHalved(_ bytes: Int) -> Bool { 2 * bytes <= memory.count }
    var repetitions: [Repetitions] = []
    for bytes in messageBytes {
      let count = bytes / MemoryLayout<Float>.size
      var seconds = Double.infinity
      for _ in 0..<2 { seconds = min(seconds, try pair.roundTrip(count: count)) }
      let turn = try LinkMeasurement.roundTripsPerTurn * pair.slowest(seconds)
      repetitions.append(Repetitions(turn: turn, limit: limits.secondsPerSize))
      // The next size takes twice as long.
      if 2 * turn > LinkMeasurement.longestTurn * limits.secondsPerSize { break }
    }
    var times = repetitions.map { _ in Times() }
    for sweep in 0..<LinkMeasurement.sweeps {
      for (index, repetition) in repetitions.enumerated() where sweep < repetition.sweeps {
        let count = messageBytes[index] / MemoryLayout<Float>.size
        if isHalved(messageBytes[index]) {
          for turn in 0..<repetition.turns {
            try pair.meet()
            let halves = try pair.reducingAndReplacing(count: count)
            guard turn >= repetition.warmUps else { continue }
            times[index].reducing.append(halves.reducing)
            times[index].replacing.append(halves.replacing)
          }
        }
        for turn in 0..<repetition.turns {
          try pair.meet()
          let combining = try pair.combining(count: count)
          if turn >= repetition.warmUps { times[index].combining.append(combining) }
        }
        for turn in 0..<repetition.turns {
          try pair.meet()
          let roundTrip = try pair.roundTrip(count: count)
          if turn >= repetition.warmUps { times[index].oneWay.append(roundTrip / 2) }
        }
      }
    }
    return times
  }

  /// How often the rounds of a size are run.
  private struct Repetitions {
    /// The turns of every sweep, of which the first only brings the caches to where the others find
    /// them.
    var turns: Int
    var sweeps = LinkMeasurement.sweeps
    var warmUps = 1

    /// - Parameters:
    ///   - turn: seconds.
    ///   - limit: seconds for all of them; once is always possible.
    init(turn: Double, limit: Double) {
      let affordable = limit / (turn * Double(sweeps))
      turns = Int(min(affordable, Double(LinkMeasurement.turnsPerSweep)))
      // Messages this long are measured once: their time is that of their bytes. But not the first
      // time, which is that of memory that has not been touched.
      if turns <= warmUps { (turns, sweeps) = (warmUps + 1, 1) }
    }
  }

  /// `body` on two arrays of growing size.
  func time(
    _ body: (UnsafeBufferPointer<Float>, UnsafeMutableBufferPointer<Float>) -> Void
  ) throws -> [CostCurve.Point] {
    _ = try transport.allgather([])
    let largest = LinkMeasurement.arrayBytes.last! / MemoryLayout<Float>.size
    let (source, target) = (AlignedBuffer(count: largest), AlignedBuffer(count: largest))
    let clock = ContinuousClock()
    let points = LinkMeasurement.arrayBytes.map { bytes in
      let count = bytes / MemoryLayout<Float>.size
      // Often enough for the clock's own time not to matter.
      let calls = max(1, (512 << 10) / bytes)
      let times = (0..<7).map { _ in
        clock.measure {
          for _ in 0..<calls {
            body(
              UnsafeBufferPointer(rebasing: source.elements[..<count]),
              UnsafeMutableBufferPointer(rebasing: target.elements[..<count]))
          }
        }.seconds
      }
      return CostCurve.Point(bytes: bytes, seconds: quartile(times) / Double(calls))
    }
    return try agreed(points)
  }

  private func quartile(_ times: [Double]) -> Double { times.sorted()[times.count / 4] }

  /// For every size that all ranks have that took part: the median over them.
  private func agreed(_ points: [CostCurve.Point]) throws -> [CostCurve.Point] {
    let gathered = try transport.allgather(Array(JSONEncoder().encode(points)))
    let parts = try gathered.map {
      try JSONDecoder().decode([CostCurve.Point].self, from: Data($0))
    }
    .filter { !$0.isEmpty }
    let shortest = parts.map(\.count).min() ?? 0
    return (0..<shortest).map { index in
      let times = parts.map { $0[index].seconds }.sorted()
      return CostCurve.Point(bytes: parts[0][index].bytes, seconds: times[times.count / 2])
    }
  }
}
