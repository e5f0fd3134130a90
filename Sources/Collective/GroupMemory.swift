import Kernels

/// The memory that a group has made for its callers and for itself: shared by the ranks of a node
/// where there is room, each rank's own otherwise. It lives as long as the group.
final class GroupMemory {
  private let transport: any Transport
  private let warn: (String) -> Void
  private var hasWarned = false
  private var privateMemory: [UnsafeMutableRawPointer] = []

  init(of transport: any Transport, warn: @escaping (String) -> Void) {
    self.transport = transport
    self.warn = warn
  }

  deinit { for memory in privateMemory { memory.deallocate() } }

  /// A segment for every rank of the node, or nil - on all ranks alike, with one warning for the
  /// group's life - where there is none to be had. Collective.
  /// - Parameter otherwise: what is done instead, for the warning.
  func allocateShared(
    byteCount: Int, otherwise: String
  ) throws -> [UnsafeMutableRawPointer]? {
    let result = Result { try transport.allocateShared(byteCount: byteCount) }
    var report: [UInt8] = []
    if case .failure(let error) = result { report = Array("\(error)".utf8) }
    let reports = try transport.allgather(report)
    guard let failed = reports.firstIndex(where: { !$0.isEmpty }) else { return try result.get() }
    if transport.rank == 0 && !hasWarned {
      hasWarned = true
      warn(
        "no shared memory of \(byteCount) bytes for each rank on the node of rank \(failed) "
          + "(\(String(decoding: reports[failed], as: UTF8.self))): \(otherwise) instead, which is "
          + "slower; give /dev/shm more room")
    }
    return nil
  }

  /// Zero bytes of this rank's own, on a boundary of 64 bytes.
  func allocatePrivate(byteCount: Int) -> UnsafeMutableRawPointer {
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: byteCount, alignment: AlignedBuffer.alignment)
    memory.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    privateMemory.append(memory)
    return memory
  }
}
