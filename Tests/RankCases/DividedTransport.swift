import Collective
import MPI

/// The ranks of one machine as if they were on several nodes: messages between all, shared memory
/// between those of the same node only.
final class DividedTransport: Transport {
  private let messages: MPITransport
  private let node: MPITransport
  private let keys: [Int]

  /// - Parameter keys: of every rank; ranks with equal keys share a node. Collective.
  init(_ world: Communicator, keys: [Int], sendsSynchronously: Bool = false) throws {
    messages = try MPITransport(world, sendsSynchronously: sendsSynchronously)
    node = try MPITransport(world.split(color: keys[world.rank]))
    self.keys = keys
  }

  var rank: Int { messages.rank }
  var size: Int { messages.size }
  var machineSize: Int? { messages.size }

  func startSend(_ bytes: UnsafeRawBufferPointer, to peer: Int, tag: Int) throws -> TransferID {
    try messages.startSend(bytes, to: peer, tag: tag)
  }

  func startReceive(
    _ bytes: UnsafeMutableRawBufferPointer, from peer: Int, tag: Int
  ) throws -> TransferID {
    try messages.startReceive(bytes, from: peer, tag: tag)
  }

  func test(_ transfer: TransferID) throws -> Bool { try messages.test(transfer) }

  func allgather(_ bytes: [UInt8]) throws -> [[UInt8]] { try messages.allgather(bytes) }

  func nodeMap() throws -> NodeMap { NodeMap(keys: keys) }

  func allocateShared(byteCount: Int) throws -> [UnsafeMutableRawPointer] {
    try node.allocateShared(byteCount: byteCount)
  }
}
