import Foundation
import Kernels
import Synchronization

/// Ranks as threads of one process. Every send is synchronous - it completes when its receive
/// copies the bytes - so what deadlocks here is found here.
public final class LoopbackTransport: Transport {
  public let rank: Int
  private let group: LoopbackGroup
  /// Under way, by slot.
  private var transfers: [LoopbackTransfer?] = []
  private var free: [Int] = []

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
  public var machineSize: Int? { group.size }

  public func startSend(
    _ bytes: UnsafeRawBufferPointer, to peer: Int, tag: Int
  ) throws -> TransferID {
    try keep(
      group.post(
        UnsafeMutableRawBufferPointer(mutating: bytes), as: .send,
        Route(from: rank, to: peer, tag: tag)))
  }

  public func startReceive(
    _ bytes: UnsafeMutableRawBufferPointer, from peer: Int, tag: Int
  ) throws -> TransferID {
    try keep(group.post(bytes, as: .receive, Route(from: peer, to: rank, tag: tag)))
  }

  private func keep(_ transfer: LoopbackTransfer) -> TransferID {
    guard let slot = free.popLast() else {
      transfers.append(transfer)
      return TransferID(slot: transfers.count - 1)
    }
    transfers[slot] = transfer
    return TransferID(slot: slot)
  }

  public func test(_ transfer: TransferID) throws -> Bool {
    guard let result = transfers[transfer.slot]!.result else {
      try group.checkAllAreThere()
      return false
    }
    transfers[transfer.slot] = nil
    free.append(transfer.slot)
    try result.get()
    return true
  }

  public func checkAllAreThere() throws { try group.checkAllAreThere() }

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

/// One side of a message.
private final class LoopbackTransfer: @unchecked Sendable {
  let bytes: UnsafeMutableRawBufferPointer
  private var outcome: Result<Void, LengthMismatch> = .success(())
  private let isDelivered = Atomic(false)

  init(_ bytes: UnsafeMutableRawBufferPointer) { self.bytes = bytes }

  /// Nil while it is under way.
  var result: Result<Void, LengthMismatch>? {
    isDelivered.load(ordering: .acquiring) ? outcome : nil
  }

  /// To be called once, by whoever delivers the message.
  func complete(_ outcome: Result<Void, LengthMismatch>) {
    self.outcome = outcome
    isDelivered.store(true, ordering: .releasing)
  }
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

/// What the ranks of a group share: the messages that have one side only, under one lock.
private final class LoopbackGroup: @unchecked Sendable {
  enum Side {
    case send
    case receive
  }

  let size: Int
  let nodes: NodeMap
  private var segments: [UnsafeMutableRawPointer] = []
  private let condition = NSCondition()
  private var waitingSends: [Route: [LoopbackTransfer]] = [:]
  private var waitingReceives: [Route: [LoopbackTransfer]] = [:]
  private var gathered: [[UInt8]?]
  private var gatherResult: [[UInt8]] = []
  private var gatherings = 0
  /// The first rank that has left, or -1.
  private let left = Atomic(-1)

  init(size: Int, nodes: NodeMap? = nil) {
    precondition(size > 0)
    self.size = size
    self.nodes = nodes ?? NodeMap(keys: Array(0..<size))
    precondition(self.nodes.size == size)
    gathered = Array(repeating: nil, count: size)
  }

  func post(
    _ bytes: UnsafeMutableRawBufferPointer, as side: Side, _ route: Route
  ) throws -> LoopbackTransfer {
    precondition((0..<size).contains(route.from) && (0..<size).contains(route.to))
    let transfer = LoopbackTransfer(bytes)
    condition.lock()
    defer { condition.unlock() }
    // A rank that has left took its buffers along: nothing is delivered any more.
    try checkAllAreThere()
    switch side {
    case .send:
      if let receive = LoopbackGroup.takeFirst(&waitingReceives, route) {
        LoopbackGroup.deliver(from: transfer, to: receive)
      } else {
        waitingSends[route, default: []].append(transfer)
      }
    case .receive:
      if let send = LoopbackGroup.takeFirst(&waitingSends, route) {
        LoopbackGroup.deliver(from: send, to: transfer)
      } else {
        waitingReceives[route, default: []].append(transfer)
      }
    }
    return transfer
  }

  func checkAllAreThere() throws {
    let left = left.load(ordering: .acquiring)
    if left >= 0 { throw RankLeft(rank: left) }
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
      try checkAllAreThere()
      condition.wait()
    }
    return gatherResult
  }

  func leave(_ rank: Int) {
    condition.lock()
    defer { condition.unlock() }
    if left.load(ordering: .relaxed) < 0 { left.store(rank, ordering: .releasing) }
    condition.broadcast()
  }

  /// Copies a message; an error on both sides if their lengths differ.
  private static func deliver(from send: LoopbackTransfer, to receive: LoopbackTransfer) {
    let (source, target) = (send.bytes, receive.bytes)
    var result = Result<Void, LengthMismatch>.success(())
    if source.count != target.count {
      result = .failure(LengthMismatch(sent: source.count, expected: target.count))
    } else if source.count > 0 {
      target.copyMemory(from: UnsafeRawBufferPointer(source))
    }
    send.complete(result)
    receive.complete(result)
  }

  private static func takeFirst(
    _ queue: inout [Route: [LoopbackTransfer]], _ route: Route
  ) -> LoopbackTransfer? {
    guard let first = queue[route]?.removeFirst() else { return nil }
    if queue[route]!.isEmpty { queue[route] = nil }
    return first
  }
}
