import Foundation
import Kernels

/// Ranks as threads of one process. Every send is synchronous - it completes when its receive copies
/// the bytes - so what deadlocks here is found here.
public final class LoopbackTransport: Transport {
  public let rank: Int
  private let group: LoopbackGroup

  fileprivate init(rank: Int, group: LoopbackGroup) {
    self.rank = rank
    self.group = group
  }

  /// The only rank of a group of one: a job that needs nobody.
  public static func alone() -> LoopbackTransport {
    LoopbackTransport(rank: 0, group: LoopbackGroup(size: 1))
  }

  /// Runs `body` on `size` ranks at once, a thread each, and returns their results in order.
  ///
  /// A rank that throws stops the others: whatever they wait for throws `RankLeft`.
  /// - Parameter nodes: which ranks shall share memory; by default none do.
  /// - Throws: the first error that a rank threw.
  public static func run<Result: Sendable>(
    ranks size: Int, nodes: NodeMap? = nil,
    _ body: @escaping @Sendable (LoopbackTransport) throws -> Result
  ) throws -> [Result] {
    let group = LoopbackGroup(size: size, nodes: nodes)
    let results = LoopbackResults<Result>(size: size)
    let threads = (0..<size).map { rank in
      Thread {
        do {
          results.set(rank, .success(try body(LoopbackTransport(rank: rank, group: group))))
        } catch {
          results.set(rank, .failure(error))
          group.leave(rank)
        }
        results.finished.signal()
      }
    }
    for thread in threads {
      thread.stackSize = 8 << 20
      thread.start()
    }
    for _ in threads { results.finished.wait() }
    return try results.get()
  }

  public var size: Int { group.size }

  public func startSend(
    _ bytes: UnsafeRawBufferPointer, to peer: Int, tag: Int
  ) throws -> TransferID {
    try group.post(
      .init(bytes: UnsafeMutableRawBufferPointer(mutating: bytes)),
      as: .send, Route(from: rank, to: peer, tag: tag))
  }

  public func startReceive(
    _ bytes: UnsafeMutableRawBufferPointer, from peer: Int, tag: Int
  ) throws -> TransferID {
    try group.post(.init(bytes: bytes), as: .receive, Route(from: peer, to: rank, tag: tag))
  }

  public func test(_ transfer: TransferID) throws -> Bool { try group.test(transfer) }

  public func allgather(_ bytes: [UInt8]) throws -> [[UInt8]] {
    try group.allgather(bytes, rank: rank)
  }

  public func nodeMap() throws -> NodeMap { group.nodes }

  public func allocateShared(byteCount: Int) throws -> [UnsafeMutableRawPointer] {
    let members = group.nodes.nodes[group.nodes.node(of: rank)]
    let segment = UnsafeMutableRawPointer.allocate(
      byteCount: max(byteCount, 1), alignment: AlignedBuffer.alignment)
    segment.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    group.keep(segment)
    // Addresses as text: threads share them as they are.
    let addresses = try group.allgather(Array("\(UInt(bitPattern: segment))".utf8), rank: rank)
    return members.map {
      UnsafeMutableRawPointer(bitPattern: UInt(String(decoding: addresses[$0], as: UTF8.self))!)!
    }
  }
}

/// A rank of a loopback group threw an error, and others were still waiting for it.
public struct RankLeft: Error, CustomStringConvertible {
  public var rank: Int
  public var description: String { "rank \(rank) has left the group" }
}

/// A message's sender and receiver disagree on its length.
public struct LengthMismatch: Error, CustomStringConvertible {
  public var sent: Int
  public var expected: Int
  public var description: String { "a message of \(sent) bytes where \(expected) were expected" }
}

private struct Route: Hashable {
  var from: Int
  var to: Int
  var tag: Int
}

/// The results of all threads, or the first error.
private final class LoopbackResults<Value: Sendable>: @unchecked Sendable {
  let finished = DispatchSemaphore(value: 0)
  private let lock = NSLock()
  private var results: [Value?]
  private var errors: [any Error] = []

  init(size: Int) { results = Array(repeating: nil, count: size) }

  func set(_ rank: Int, _ result: Result<Value, any Error>) {
    lock.withLock {
      switch result {
      case .success(let value): results[rank] = value
      case .failure(let error): errors.append(error)
      }
    }
  }

  func get() throws -> [Value] {
    // That a rank has left is a consequence of what it threw.
    if let error = errors.first(where: { !($0 is RankLeft) }) ?? errors.first { throw error }
    return results.map { $0! }
  }
}

/// What the ranks of a group share: the messages under way, under one lock.
private final class LoopbackGroup: @unchecked Sendable {
  struct Transfer {
    var bytes: UnsafeMutableRawBufferPointer
    var result: Result<Void, LengthMismatch>?
  }

  enum Side {
    case send
    case receive
  }

  let size: Int
  let nodes: NodeMap
  private var segments: [UnsafeMutableRawPointer] = []
  private let condition = NSCondition()
  private var transfers: [Int: Transfer] = [:]
  private var nextSlot = 0
  private var waitingSends: [Route: [Int]] = [:]
  private var waitingReceives: [Route: [Int]] = [:]
  private var gathered: [[UInt8]?]
  private var gatherResult: [[UInt8]] = []
  private var gatherings = 0
  private var left: Int?

  init(size: Int, nodes: NodeMap? = nil) {
    precondition(size > 0)
    self.size = size
    self.nodes = nodes ?? NodeMap(keys: Array(0..<size))
    precondition(self.nodes.size == size)
    gathered = Array(repeating: nil, count: size)
  }

  func post(_ transfer: Transfer, as side: Side, _ route: Route) throws -> TransferID {
    precondition((0..<size).contains(route.from) && (0..<size).contains(route.to))
    condition.lock()
    defer { condition.unlock() }
    // A rank that has left took its buffers along: nothing is delivered any more.
    if let left { throw RankLeft(rank: left) }
    let slot = nextSlot
    nextSlot += 1
    transfers[slot] = transfer
    let partner =
      side == .send
      ? LoopbackGroup.takeFirst(&waitingReceives, route)
      : LoopbackGroup.takeFirst(&waitingSends, route)
    guard let partner else {
      if side == .send {
        waitingSends[route, default: []].append(slot)
      } else {
        waitingReceives[route, default: []].append(slot)
      }
      return TransferID(slot: slot)
    }
    let (send, receive) = side == .send ? (slot, partner) : (partner, slot)
    deliver(from: send, to: receive)
    return TransferID(slot: slot)
  }

  func test(_ id: TransferID) throws -> Bool {
    condition.lock()
    defer { condition.unlock() }
    guard let result = transfers[id.slot]!.result else {
      if let left { throw RankLeft(rank: left) }
      return false
    }
    transfers[id.slot] = nil
    try result.get()
    return true
  }

  /// Shared memory, freed with the group.
  func keep(_ segment: UnsafeMutableRawPointer) {
    condition.withLock { segments.append(segment) }
  }

  deinit { for segment in segments { segment.deallocate() } }

  func allgather(_ bytes: [UInt8], rank: Int) throws -> [[UInt8]] {
    condition.lock()
    defer { condition.unlock() }
    // A rank can only be one gathering ahead of the others: its slot is empty again by then.
    gathered[rank] = bytes
    let mine = gatherings
    if gathered.allSatisfy({ $0 != nil }) {
      gatherResult = gathered.map { $0! }
      gathered = Array(repeating: nil, count: size)
      gatherings += 1
      condition.broadcast()
    }
    while gatherings == mine {
      if let left { throw RankLeft(rank: left) }
      condition.wait()
    }
    return gatherResult
  }

  func leave(_ rank: Int) {
    condition.lock()
    defer { condition.unlock() }
    if left == nil { left = rank }
    condition.broadcast()
  }

  /// Copies a message; an error on both sides if their lengths differ.
  private func deliver(from send: Int, to receive: Int) {
    let source = transfers[send]!.bytes
    let target = transfers[receive]!.bytes
    if source.count == target.count {
      if source.count > 0 { target.copyMemory(from: UnsafeRawBufferPointer(source)) }
      transfers[send]!.result = .success(())
      transfers[receive]!.result = .success(())
    } else {
      let mismatch = LengthMismatch(sent: source.count, expected: target.count)
      transfers[send]!.result = .failure(mismatch)
      transfers[receive]!.result = .failure(mismatch)
    }
  }

  private static func takeFirst(_ queue: inout [Route: [Int]], _ route: Route) -> Int? {
    guard var slots = queue[route] else { return nil }
    let first = slots.removeFirst()
    queue[route] = slots.isEmpty ? nil : slots
    return first
  }
}
