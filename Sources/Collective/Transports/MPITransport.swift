import Foundation
import MPI

/// Ranks as MPI processes. Its messages are in a communicator of their own and cannot meet others.
public final class MPITransport: Transport {
  private let communicator: Communicator
  private lazy var node = Result { try communicator.splitByNode() }
  private var windows: [SharedWindow] = []
  private let sendsSynchronously: Bool
  /// Of transfers under way; and of the other slots, which are a list, the next one's number.
  private var requests: UnsafeMutablePointer<Request?>
  private var following: UnsafeMutablePointer<Int>
  private var firstFree = 0
  private var capacity = 32

  /// Duplicates `communicator`: collective.
  /// - Parameter sendsSynchronously: every send waits for its receive to start. Correct programs do
  ///   not notice; it is how tests show that nothing leans on MPI's buffers.
  public init(_ communicator: Communicator, sendsSynchronously: Bool = false) throws {
    self.communicator = try communicator.duplicate()
    self.sendsSynchronously = sendsSynchronously
    requests = .allocate(capacity: capacity)
    following = .allocate(capacity: capacity)
    initialize(0..<capacity)
  }

  /// What is still under way is given up: a call has failed, and its error matters more; or a
  /// report of a long wait, which nobody had to read in the end.
  deinit {
    for slot in 0..<capacity {
      if let request = (requests + slot).move() { request.abandon() }
    }
    requests.deallocate()
    following.deallocate()
  }

  public var rank: Int { communicator.rank }
  public var size: Int { communicator.size }

  public func startSend(
    _ bytes: UnsafeRawBufferPointer, to peer: Int, tag: Int
  ) throws -> TransferID {
    keep(
      sendsSynchronously
        ? try communicator.startSynchronousSend(bytes, to: peer, tag: tag)
        : try communicator.startSend(bytes, to: peer, tag: tag))
  }

  public func startReceive(
    _ bytes: UnsafeMutableRawBufferPointer, from peer: Int, tag: Int
  ) throws -> TransferID {
    keep(try communicator.startReceive(bytes, from: peer, tag: tag))
  }

  public func test(_ transfer: TransferID) throws -> Bool {
    guard try requests[transfer.slot]!.test() else { return false }
    release(transfer)
    return true
  }

  public func allgather(_ bytes: [UInt8]) throws -> [[UInt8]] {
    try communicator.allgather(bytes)
  }

  public func nodeMap() throws -> NodeMap {
    // The lowest rank of the node stands for it.
    let mine = try node.get().allgather(Array("\(rank)".utf8))
    return NodeMap(
      keys: try allgather(mine[0]).map { Int(String(decoding: $0, as: UTF8.self))! })
  }

  public func allocateShared(byteCount: Int) throws -> [UnsafeMutableRawPointer] {
    // Segments follow each other without a gap: whole pages keep them on page boundaries, in every
    // process alike.
    let page = 4096
    let size = (byteCount + page - 1) / page * page + page
    let node = try node.get()
    let window = try SharedWindow(byteCount: size, on: node)
    windows.append(window)
    let segments = window.segments.map { $0.baseAddress!.alignedUp(toMultipleOf: page) }
    // Each rank is the first to touch its own: the pages come from memory near it, and count as
    // used when the next window asks how much there is.
    memset(segments[node.rank], 0, byteCount)
    try node.barrier()
    // The others' pages are there: mapped now, all at once, they do not fault one by one in the
    // first calls. (MADV_POPULATE_WRITE, Linux 5.14; older kernels refuse, and then they do.)
    for segment in segments { _ = madvise(segment, byteCount, 23) }
    return segments
  }

  private func keep(_ request: consuming Request) -> TransferID {
    if firstFree == capacity { grow() }
    let slot = firstFree
    firstFree = following[slot]
    requests[slot] = consume request
    return TransferID(slot: slot)
  }

  private func release(_ transfer: TransferID) {
    requests[transfer.slot] = nil
    following[transfer.slot] = firstFree
    firstFree = transfer.slot
  }

  /// New slots, free; the last one is followed by the end of memory.
  private func initialize(_ slots: Range<Int>) {
    for slot in slots {
      (requests + slot).initialize(to: nil)
      (following + slot).initialize(to: slot + 1)
    }
  }

  private func grow() {
    let (oldRequests, oldFollowing) = (requests, following)
    requests = .allocate(capacity: 2 * capacity)
    following = .allocate(capacity: 2 * capacity)
    requests.moveInitialize(from: oldRequests, count: capacity)
    following.moveInitialize(from: oldFollowing, count: capacity)
    oldRequests.deallocate()
    oldFollowing.deallocate()
    // No slot was free: the list begins with the first new one.
    initialize(capacity..<2 * capacity)
    capacity *= 2
  }
}
