/// How ranks exchange messages. One instance belongs to one rank and is used by one thread.
///
/// Messages between two ranks with the same tag do not overtake each other.
public protocol PointToPoint: AnyObject {
  var rank: Int { get }
  var size: Int { get }

  /// Starts to send; `bytes` must stay as they are until the transfer has completed.
  /// - Parameter tag: 0...32767
  func startSend(_ bytes: UnsafeRawBufferPointer, to peer: Int, tag: Int) throws -> TransferID

  /// Starts to receive a message of `bytes.count` bytes; they must not be touched until the
  /// transfer has completed.
  func startReceive(
    _ bytes: UnsafeMutableRawBufferPointer, from peer: Int, tag: Int
  ) throws -> TransferID

  /// Whether a transfer has completed; lets messages make progress. Once true, an ID is void.
  func test(_ transfer: TransferID) throws -> Bool
}

/// What joins the ranks of a group: messages, and memory where ranks share it.
public protocol Transport: PointToPoint {
  /// Every rank's bytes, of whatever lengths, on every rank: for control, not for speed.
  func allgather(_ bytes: [UInt8]) throws -> [[UInt8]]

  /// Which ranks share memory. Collective.
  func nodeMap() throws -> NodeMap

  /// Memory that all ranks of this node see: a segment of `byteCount` zero bytes for each, in the
  /// order of ranks, on a boundary of 64 bytes. It lives as long as the transport. Collective over
  /// the node.
  func allocateShared(byteCount: Int) throws -> [UnsafeMutableRawPointer]

  /// Ranks that run on this machine's cores, where they are more than those of the node: nodes may
  /// be pretended.
  var machineSize: Int? { get }

  /// Throws if another rank has given up, for ranks that wait in shared memory; where that ends the
  /// whole job, there is nothing to do.
  func checkAllAreThere() throws
}

extension Transport {
  public var machineSize: Int? { nil }
  public func checkAllAreThere() {}
}

/// A transfer under way, within the transport that started it.
public struct TransferID: Equatable, Sendable {
  public let slot: Int

  public init(slot: Int) { self.slot = slot }
}

extension PointToPoint {
  /// Blocks until a transfer has completed.
  func wait(_ transfer: TransferID) throws {
    var backoff = Backoff(spins: Backoff.shortSpin)
    while try !test(transfer) { _ = backoff.pause() }
  }
}
