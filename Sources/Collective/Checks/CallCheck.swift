/// Compares the calls of neighbouring ranks, beside the data: every rank tells the next one what it
/// has called. If not all ranks make the same call, some rank's neighbour makes another one, and
/// learns it even if the data itself never comes.
final class CallCheck {
  private let transport: any PointToPoint
  private let word: UnsafeMutablePointer<UInt64>
  private let neighbourWord: UnsafeMutablePointer<UInt64>
  /// Under way.
  private var receive: TransferID?
  private var send: TransferID?

  static let tag = 32_000

  init(over transport: any PointToPoint) {
    self.transport = transport
    word = .allocate(capacity: 1)
    neighbourWord = .allocate(capacity: 1)
    word.initialize(to: 0)
    neighbourWord.initialize(to: 0)
  }

  deinit {
    word.deallocate()
    neighbourWord.deallocate()
  }

  func start(_ call: UInt64) throws {
    word.pointee = call
    let ring = Ring(size: transport.size)
    receive = try transport.startReceive(
      UnsafeMutableRawBufferPointer(start: neighbourWord, count: 8),
      from: ring.previous(before: transport.rank), tag: CallCheck.tag)
    send = try transport.startSend(
      UnsafeRawBufferPointer(start: word, count: 8), to: ring.next(after: transport.rank),
      tag: CallCheck.tag)
  }

  /// Whether the neighbours have compared; throws `CallMismatch` if they differ.
  func progress() throws -> Bool {
    if let transfer = send, try transport.test(transfer) { send = nil }
    if let transfer = receive, try transport.test(transfer) { receive = nil }
    guard send == nil, receive == nil else { return false }
    if word.pointee != neighbourWord.pointee {
      let previous = Ring(size: transport.size).previous(before: transport.rank)
      throw CallMismatch(transport.rank, word.pointee, previous, neighbourWord.pointee)
    }
    return true
  }
}
