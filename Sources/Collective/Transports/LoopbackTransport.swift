import Foundation
import Kernels
import Synchronization

/// Ranks as threads of one process. Every send is synchronous - its bytes are copied, and it completes,
/// when there is a receive for it - so what deadlocks here is found here.
///
/// Each rank's memory is read and written by its own thread alone, while that asks for something: one
/// that throws may free its buffers with messages under way.
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
    group.sendMatched(of: rank)
    guard let result = transfers[transfer.slot]!.result() else {
      try group.checkAllAreThere()
      return false
    }
    transfers[transfer.slot] = nil
    free.append(transfer.slot)
    try result.get()
    return true
  }

  public func checkAllAreThere() throws {
    group.sendMatched(of: rank)
    try group.checkAllAreThere()
  }

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
  /// Of the rank that has started it.
  private let bytes: UnsafeMutableRawBufferPointer
  /// What has been sent to a receive.
  private var message: [UInt8] = []
  private var outcome: Result<Void, LengthMismatch> = .success(())
  private let isDelivered = Atomic(false)

  init(_ bytes: UnsafeMutableRawBufferPointer) { self.bytes = bytes }

  /// Nil while it is under way. To be asked by the rank that has started it, which is when a receive
  /// gets its bytes.
  func result() -> Result<Void, LengthMismatch>? {
    guard isDelivered.load(ordering: .acquiring) else { return nil }
    bytes.copyBytes(from: message)
    return outcome
  }

  /// Delivers the bytes of this send; an error on both sides if their lengths differ. To be called
  /// once, by the rank that sends.
  func send(to receive: LoopbackTransfer) {
    var result = Result<Void, LengthMismatch>.success(())
    if bytes.count == receive.bytes.count {
      receive.message = Array(bytes)
    } else {
      result = .failure(LengthMismatch(sent: bytes.count, expected: receive.bytes.count))
    }
    receive.complete(result)
    complete(result)
  }

  private func complete(_ outcome: Result<Void, LengthMismatch>) {
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
  /// Of each rank, sends with a receive, which it has yet to copy, and whether there are any.
  private var matched: [[(send: LoopbackTransfer, receive: LoopbackTransfer)]]
  private let hasMatched: UnsafeMutablePointer<Atomic<Bool>>
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
    matched = Array(repeating: [], count: size)
    hasMatched = .allocate(capacity: size)
    for rank in 0..<size { (hasMatched + rank).initialize(to: Atomic(false)) }
  }

  func post(
    _ bytes: UnsafeMutableRawBufferPointer, as side: Side, _ route: Route
  ) throws -> LoopbackTransfer {
    precondition((0..<size).contains(route.from) && (0..<size).contains(route.to))
    let transfer = LoopbackTransfer(bytes)
    condition.lock()
    defer { condition.unlock() }
    // A rank that has left takes part in nothing any more.
    try checkAllAreThere()
    switch side {
    case .send:
      if let receive = LoopbackGroup.takeFirst(&waitingReceives, route) {
        transfer.send(to: receive)
      } else {
        waitingSends[route, default: []].append(transfer)
      }
    case .receive:
      if let send = LoopbackGroup.takeFirst(&waitingSends, route) {
        matched[route.from].append((send, transfer))
        hasMatched[route.from].store(true, ordering: .releasing)
        condition.broadcast()
      } else {
        waitingReceives[route, default: []].append(transfer)
      }
    }
    return transfer
  }

  /// Copies what the rank that calls has sent, where somebody receives it.
  func sendMatched(of rank: Int) {
    guard hasMatched[rank].load(ordering: .acquiring) else { return }
    condition.withLock { copyMatched(of: rank) }
  }

  /// - Precondition: the lock is held.
  private func copyMatched(of rank: Int) {
    for (send, receive) in matched[rank] { send.send(to: receive) }
    matched[rank].removeAll(keepingCapacity: true)
    hasMatched[rank].store(false, ordering: .relaxed)
  }

  func checkAllAreThere() throws {
    let left = left.load(ordering: .acquiring)
    if left >= 0 { throw RankLeft(rank: left) }
  }

  /// Shared memory, freed with the group.
  func keep(_ segment: UnsafeMutableRawPointer) {
    condition.withLock { segments.append(segment) }
  }

  deinit {
    for segment in segments { segment.deallocate() }
    hasMatched.deinitialize(count: size)
    hasMatched.deallocate()
  }

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
      copyMatched(of: rank)
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

  private static func takeFirst(
    _ queue: inout [Route: [LoopbackTransfer]], _ route: Route
  ) -> LoopbackTransfer? {
    guard let first = queue[route]?.removeFirst() else { return nil }
    if queue[route]!.isEmpty { queue[route] = nil }
    return first
  }
}
