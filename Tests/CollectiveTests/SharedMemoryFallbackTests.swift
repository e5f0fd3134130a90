import Synchronization
import Testing

@testable import Collective

/// Groups without the shared memory that they asked for.
struct SharedMemoryFallbackTests {
  @Test("where a rank gets no shared memory, ranks exchange messages, with one warning of rank 0")
  func withoutSharedMemory() throws {
    let warnings = try sums(refusing: 1) { #expect(!$0.sharesMemory) }
    #expect(warnings.count == 1)
    #expect(warnings.first?.hasPrefix("rank 0: no shared memory") == true)
    #expect(warnings.first?.contains("rank 2") == true)
    #expect(warnings.first?.contains("none left") == true)
    #expect(warnings.first?.contains("exchange messages instead") == true)
  }

  @Test("where a buffer gets no shared memory, its data is copied, with one warning of rank 0")
  func withoutSharedBuffer() throws {
    let warnings = try sums(refusing: 2) { #expect($0.sharesMemory) }
    #expect(warnings.count == 1)
    #expect(warnings.first?.hasPrefix("rank 0: no shared memory") == true)
    #expect(warnings.first?.contains("is copied") == true)
  }

  /// Sums on four ranks of one node, of which rank 2 is refused its `number`-th shared memory.
  /// - Returns: the warnings of all ranks.
  private func sums(
    refusing number: Int, _ check: @escaping @Sendable (ProcessGroup) -> Void
  ) throws -> [String] {
    let warnings = Mutex<[String]>([])
    let exact = ExactCase(Float.self, ranks: 4)
    let faults = try LoopbackTransport.run(
      ranks: 4, nodes: NodeMap(keys: [0, 0, 0, 0])
    ) { base -> String? in
      let transport = RefusingTransport(base, refused: base.rank == 2 ? number : nil)
      var options = ProcessGroup.Options()
      options.warn = { line in warnings.withLock { $0.append("rank \(base.rank): \(line)") } }
      let group = try ProcessGroup(transport, options: options)
      check(group)
      for count in [3, 100_003] {
        let buffer = try group.allocate(Float.self, count: count)
        exact.fill(buffer, rank: base.rank)
        try group.allreduce(buffer)
        if !exact.isResult(buffer) { return "\(count) elements" }
      }
      return nil
    }
    #expect(faults == [nil, nil, nil, nil])
    return warnings.withLock { $0 }
  }
}

/// A transport whose shared memory is once refused.
private final class RefusingTransport: Transport {
  private let base: LoopbackTransport
  private let refused: Int?
  private var requests = 0

  struct NoneLeft: Error, CustomStringConvertible {
    var description: String { "none left" }
  }

  /// - Parameter refused: which request, from 1; nil for none.
  init(_ base: LoopbackTransport, refused: Int?) {
    self.base = base
    self.refused = refused
  }

  var rank: Int { base.rank }
  var size: Int { base.size }
  var machineSize: Int? { base.machineSize }

  func startSend(_ bytes: UnsafeRawBufferPointer, to peer: Int, tag: Int) throws -> TransferID {
    try base.startSend(bytes, to: peer, tag: tag)
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
    requests += 1
    let segments = try base.allocateShared(byteCount: byteCount)
    if requests == refused { throw NoneLeft() }
    return segments
  }
}
