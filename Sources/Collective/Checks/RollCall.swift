/// Finds out who is missing when a wait has become too long, over messages alone: ranks that have
/// waited for a third of the limit tell everybody where they are; at two thirds they listen; at the
/// limit, who has not been heard of is not there. (Whoever had arrived by the second third has
/// reported by then.)
final class RollCall {
  private let transport: any PointToPoint
  private let number: UnsafeMutablePointer<UInt64>
  private let heard: UnsafeMutablePointer<UInt64>
  private var receives: [TransferID?]
  private var sends: [TransferID] = []
  private let tag: Int

  static let tag = 32_001
  /// That of a group's start, whose reports do not count for its calls.
  static let startTag = 32_002

  init(over transport: any PointToPoint, tag: Int = RollCall.tag) {
    self.transport = transport
    self.tag = tag
    number = .allocate(capacity: 1)
    number.initialize(to: 0)
    heard = .allocate(capacity: transport.size)
    heard.initialize(repeating: 0, count: transport.size)
    receives = Array(repeating: nil, count: transport.size)
  }

  // Reports that nobody had to read are never waited for: their memory is not given back.

  private var peers: [Int] { (0..<transport.size).filter { $0 != transport.rank } }

  /// Tells everybody that this rank has started its calls up to `number` (from 1), and waits for
  /// one.
  func report(_ number: Int) throws {
    sends = try sends.filter { try !transport.test($0) }
    // An earlier report that has not left yet may as well say this.
    self.number.pointee = UInt64(number)
    for peer in peers {
      sends.append(
        try transport.startSend(
          UnsafeRawBufferPointer(start: self.number, count: 8), to: peer, tag: tag))
    }
  }

  func listen() throws {
    for peer in peers where receives[peer] == nil { try listen(to: peer) }
  }

  private func listen(to peer: Int) throws {
    receives[peer] = try transport.startReceive(
      UnsafeMutableRawBufferPointer(start: heard + peer, count: 8), from: peer, tag: tag)
  }

  /// Ranks from which no report of call `number` has come.
  func absentees(_ number: Int) throws -> [Int] {
    try peers.filter { peer in
      // Reports of long waits before this one come first.
      while let receive = receives[peer], try transport.test(receive) {
        receives[peer] = nil
        if heard[peer] < UInt64(number) { try listen(to: peer) }
      }
      return heard[peer] < UInt64(number)
    }
  }
}

/// A collective did not go on for longer than is allowed.
public struct RankMissing: Error, CustomStringConvertible {
  /// Ranks that have not arrived at the call, or that have not been heard of; empty if all have.
  public let absentees: [Int]
  /// The waiting rank, its call, and how long it has waited.
  public let rank: Int
  public let call: String
  public let seconds: Double

  public var description: String {
    let time = "after \(Int(seconds.rounded())) s"
    guard !absentees.isEmpty else {
      return
        "rank \(rank) waits in \(call) \(time), and all ranks have arrived: one of them, or the "
        + "network between them, does not go on"
    }
    let names = absentees.prefix(8).map(String.init).joined(separator: ", ")
    return "rank\(absentees.count == 1 ? "" : "s") \(names)\(absentees.count > 8 ? ", ..." : "") "
      + "\(absentees.count == 1 ? "has" : "have") not arrived in \(call) \(time), says rank \(rank): "
      + "look at what that rank is doing, or raise the limit"
  }
}
