/// How ranks exchange bytes. One instance belongs to one rank and is used by one thread.
///
/// Messages between two ranks with the same tag do not overtake each other.
public protocol Transport: AnyObject {
  var rank: Int { get }
  var size: Int { get }

  /// Starts to send; `bytes` must stay as they are until the transfer has completed.
  func startSend(_ bytes: UnsafeRawBufferPointer, to peer: Int, tag: Int) throws -> TransferID

  /// Starts to receive a message of `bytes.count` bytes; they must not be touched until the transfer
  /// has completed.
  func startReceive(
    _ bytes: UnsafeMutableRawBufferPointer, from peer: Int, tag: Int
  ) throws -> TransferID

  /// Whether a transfer has completed. Once true, or once waited for, an ID is void.
  func test(_ transfer: TransferID) throws -> Bool

  /// Blocks until a transfer has completed.
  func wait(_ transfer: TransferID) throws

  /// Every rank's bytes, of whatever lengths, on every rank: for control messages, not for speed.
  func allgather(_ bytes: [UInt8]) throws -> [[UInt8]]
}

/// A transfer under way, within the transport that started it.
public struct TransferID: Equatable, Sendable {
  var slot: Int
}
