import Foundation
import Kernels

/// Measures what messages and arithmetic cost, in well under a second where 8 MB take less than 50 ms:
/// medians over repetitions and over ranks. Collective; no other operation may be under way.
///
/// Ranks of a node exchange messages in pairs, all pairs at once; then the first ranks of neighbouring
/// nodes do, by themselves.
/// - Parameter nodes: the node of every rank, in order; nodes are numbered from 0.
/// - Returns: the same on all ranks.
/// - Throws: what the transport throws.
public func measureLinks(
  over transport: any Transport, kernels: KernelSet, nodes: [Int]
) throws -> Measurements {
  precondition(nodes.count == transport.size)
  let node = nodes[transport.rank]
  let local = nodes.indices.filter { nodes[$0] == node }
  let neighbour = local.firstIndex(of: transport.rank)! ^ 1
  let isFirst = local[0] == transport.rank
  let measurement = LinkMeasurement(transport: transport, kernels: kernels)
  return Measurements(
    withinNode: try measurement.exchange(with: neighbour < local.count ? local[neighbour] : nil),
    betweenNodes: try measurement.exchange(with: isFirst ? nodes.firstIndex(of: node ^ 1) : nil),
    reduction: try measurement.time { kernels.add($0, to: $1) },
    copy: try measurement.time { $1.baseAddress!.update(from: $0.baseAddress!, count: $0.count) })
}

private struct LinkMeasurement {
  /// From latency to bandwidth, through the usual changes of protocol and the caches.
  private static let messageBytes = [8, 1 << 10, 8 << 10, 64 << 10, 512 << 10, 2 << 20, 8 << 20]
  private static let arrayBytes = [8 << 10, 64 << 10, 512 << 10, 2 << 20, 8 << 20]
  private static let repetitions = 7
  /// Seconds for the repetitions at one size; where one message takes longer, none larger follows.
  private static let limit = 0.05

  let transport: any Transport
  let kernels: KernelSet
  private let buffer = AlignedBuffer(count: arrayBytes.last! / MemoryLayout<Float>.size)
  private let received = AlignedBuffer(count: arrayBytes.last! / MemoryLayout<Float>.size)
  private let clock = ContinuousClock()

  init(transport: any Transport, kernels: KernelSet) {
    self.transport = transport
    self.kernels = kernels
    buffer.elements.initialize(repeating: 0)
    received.elements.initialize(repeating: 0)
  }

  /// Messages of growing size in both directions at once; ranks without a peer take no part.
  func exchange(with peer: Int?) throws -> [CostCurve.Point] {
    // Nobody still measures something else.
    _ = try transport.allgather([])
    var points: [CostCurve.Point] = []
    if let peer {
      for bytes in LinkMeasurement.messageBytes {
        let warmUp = try slowest(exchange(bytes, with: peer), with: peer)
        let repetitions = min(
          LinkMeasurement.repetitions, 1 + Int(LinkMeasurement.limit / max(warmUp, 1e-9)))
        let times = try (0..<repetitions).map { _ in try exchange(bytes, with: peer) }
        points.append(.init(bytes: bytes, seconds: median(times)))
        if warmUp > LinkMeasurement.limit { break }
      }
    }
    return try agreed(points)
  }

  /// `body` on two arrays of growing size.
  func time(
    _ body: (UnsafeBufferPointer<Float>, UnsafeMutableBufferPointer<Float>) -> Void
  ) throws -> [CostCurve.Point] {
    _ = try transport.allgather([])
    let points = LinkMeasurement.arrayBytes.map { bytes in
      let count = bytes / MemoryLayout<Float>.size
      // Often enough for the clock's own time not to matter.
      let calls = max(1, (512 << 10) / bytes)
      let times = (0..<LinkMeasurement.repetitions).map { _ in
        clock.measure {
          for _ in 0..<calls {
            body(
              UnsafeBufferPointer(rebasing: received.elements[..<count]),
              UnsafeMutableBufferPointer(rebasing: buffer.elements[..<count]))
          }
        }.seconds
      }
      return CostCurve.Point(bytes: bytes, seconds: median(times) / Double(calls))
    }
    return try agreed(points)
  }

  /// Sends the buffer and receives another; the time in seconds. The buffer is then written, as a
  /// reduction does, so that the next message leaves from where the processor left it.
  private func exchange(_ bytes: Int, with peer: Int) throws -> Double {
    let time = try clock.measure {
      let receive = try transport.startReceive(
        UnsafeMutableRawBufferPointer(start: received.base, count: bytes), from: peer, tag: 0)
      let send = try transport.startSend(
        UnsafeRawBufferPointer(start: buffer.base, count: bytes), to: peer, tag: 0)
      try transport.wait(receive)
      try transport.wait(send)
    }
    let count = bytes / MemoryLayout<Float>.size
    kernels.add(
      UnsafeBufferPointer(rebasing: received.elements[..<count]),
      to: UnsafeMutableBufferPointer(rebasing: buffer.elements[..<count]))
    return time.seconds
  }

  /// The longer of both sides' times in seconds: they decide alike.
  private func slowest(_ seconds: Double, with peer: Int) throws -> Double {
    var (mine, theirs) = (seconds, 0.0)
    try withUnsafeMutableBytes(of: &theirs) { theirs in
      try withUnsafeBytes(of: &mine) { mine in
        let receive = try transport.startReceive(theirs, from: peer, tag: 0)
        let send = try transport.startSend(mine, to: peer, tag: 0)
        try transport.wait(receive)
        try transport.wait(send)
      }
    }
    return max(mine, theirs)
  }

  private func median(_ times: [Double]) -> Double { times.sorted()[times.count / 2] }

  /// For every size that all ranks have that took part: the median over them.
  private func agreed(_ points: [CostCurve.Point]) throws -> [CostCurve.Point] {
    let gathered = try transport.allgather(Array(JSONEncoder().encode(points)))
    let parts = try gathered.map {
      try JSONDecoder().decode([CostCurve.Point].self, from: Data($0))
    }
    .filter { !$0.isEmpty }
    let shortest = parts.map(\.count).min() ?? 0
    return (0..<shortest).map { index in
      CostCurve.Point(
        bytes: parts[0][index].bytes, seconds: median(parts.map { $0[index].seconds }))
    }
  }
}

extension Duration {
  fileprivate var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
