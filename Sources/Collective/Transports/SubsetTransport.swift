/// Some ranks of a transport, numbered anew.
final class SubsetTransport: PointToPoint {
  private let base: any PointToPoint
  private let members: [Int]
  let rank: Int
  var size: Int { members.count }

  /// - Parameter members: ranks of `base`, this one among them.
  init(_ members: [Int], of base: any PointToPoint) {
    self.base = base
    self.members = members
    rank = members.firstIndex(of: base.rank)!
  }

  func startSend(_ bytes: UnsafeRawBufferPointer, to peer: Int, tag: Int) throws -> TransferID {
    try base.startSend(bytes, to: members[peer], tag: tag)
  }

  func startReceive(
    _ bytes: UnsafeMutableRawBufferPointer, from peer: Int, tag: Int
  ) throws -> TransferID {
    try base.startReceive(bytes, from: members[peer], tag: tag)
  }

  func test(_ transfer: TransferID) throws -> Bool { try base.test(transfer) }
}
