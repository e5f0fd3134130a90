@testable import Collective

/// Tells of every message before it is sent.
final class TappedTransport: Transport {
  private let base: LoopbackTransport
  private let sends: (_ peer: Int, _ bytes: Int) -> Void

  init(_ base: LoopbackTransport, sends: @escaping (_ peer: Int, _ bytes: Int) -> Void) {
    self.base = base
    self.sends = sends
  }

  var rank: Int { base.rank }
  var size: Int { base.size }
  var machineSize: Int? { base.machineSize }

  func startSend(_ bytes: UnsafeRawBufferPointer, to peer: Int, tag: Int) throws -> TransferID {
    sends(peer, bytes.count)
    return try base.startSend(bytes, to: peer, tag: tag)
  }

  func startReceive(
    _ bytes: UnsafeMutableRawBufferPointer, from peer: Int, tag: Int
  ) throws -> TransferID {
    try base.startReceive(bytes, from: peer, tag: tag)
  }

  func test(_ transfer: TransferID) throws -> Bool { try base.test(transfer) }
  func allgather(_ bytes: [UInt8]) throws -> [[UInt8]] { try base.allgather(bytes) }
  func nodeMap() throws -> NodeMap { try base.nodeMap() }
  func allocateShared(byteCount: Int) throws -> [UnsafeMutableRawPointer] {
    try base.allocateShared(byteCount: byteCount)
  }
}
