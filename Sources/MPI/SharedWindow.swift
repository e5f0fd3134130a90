import CMPI
import Foundation

/// Memory that all ranks of a node read and write directly: one allocation, a segment per rank.
///
/// The corresponding C functions are `MPI_Win_allocate_shared` and `MPI_Win_shared_query` (MPI 3.1,
/// section 11.2.3). Ranks that exchange data through it order their accesses with `synchronize()`
/// and messages or a barrier.
public final class SharedWindow {
  private var raw: MPI_Win?

  /// Every rank's segment, as this process sees it; sizes in bytes as each rank asked for.
  public let segments: [UnsafeMutableRawBufferPointer]

  /// Allocates `byteCount` bytes for this rank. Collective over `node`, whose ranks must share
  /// memory (`splitByNode()`).
  /// - Throws: `SharedMemoryShortage`, on all ranks alike, if it is exhausted; `MPIError` if the
  ///   ranks do not share memory.
  public init(byteCount: Int, on node: Communicator) throws {
    precondition(byteCount >= 0)
    try SharedWindow.checkRoom(for: byteCount, on: node)
    var window: MPI_Win? = nil
    var base: UnsafeMutableRawPointer?
    try check(
      MPI_Win_allocate_shared(
        MPI_Aint(byteCount), 1, CMPI_INFO_NULL(), node.raw, &base, &window),
      "MPI_Win_allocate_shared", isForgivable: true)
    // A passive epoch for the window's whole life: loads and stores need no further MPI call.
    try check(MPI_Win_lock_all(Int32(MPI_MODE_NOCHECK), window), "MPI_Win_lock_all")
    raw = window
    var segments: [UnsafeMutableRawBufferPointer] = []
    for rank in 0..<node.size {
      var size: MPI_Aint = 0
      var unit: Int32 = 0
      var pointer: UnsafeMutableRawPointer?
      try check(
        MPI_Win_shared_query(window, Int32(rank), &size, &unit, &pointer), "MPI_Win_shared_query")
      segments.append(UnsafeMutableRawBufferPointer(start: pointer, count: Int(size)))
    }
    self.segments = segments
  }

  /// Open MPI asks for room on the node's first rank only, which then fails while the others wait
  /// for it; and a page for which there is no room when it is first touched ends the process
  /// (SIGBUS). So all ranks ask, beforehand.
  private static func checkRoom(for byteCount: Int, on node: Communicator) throws {
    let directory = (try? MCAParameter("osc_sm_backing_directory"))?.readString() ?? "/dev/shm"
    var status = statvfs()
    // A folder that cannot be asked is left to MPI.
    let room =
      statvfs(directory, &status) == 0 ? Int(status.f_bavail) * Int(status.f_frsize) : .max
    let answers = try node.allgather(Array("\(byteCount) \(room)".utf8))
      .map { String(decoding: $0, as: UTF8.self).split(separator: " ").map { Int($0)! } }
    let needed = answers.reduce(0) { $0 + $1[0] + headroom }
    let available = answers.map { $0[1] }.min()!
    if needed > available {
      throw SharedMemoryShortage(directory: directory, needed: needed, available: available)
    }
  }

  /// Bytes for each rank beside its segment: for the window's own state, and for what MPI's
  /// messages may yet touch in the same place.
  private static let headroom = 256 * 1024

  /// Makes this rank's stores visible to the others, and theirs to this one.
  ///
  /// The corresponding C function is `MPI_Win_sync` (MPI 3.1, section 11.5.4).
  public func synchronize() throws(MPIError) {
    try check(MPI_Win_sync(raw), "MPI_Win_sync")
  }

  /// Frees the memory. Collective; no rank may touch a segment afterwards. It is not done when the
  /// value is dropped, which happens at another time on every rank; a window that is never freed
  /// lives until MPI ends.
  ///
  /// The corresponding C function is `MPI_Win_free` (MPI 3.1, section 11.2.5).
  public func free() throws(MPIError) {
    guard raw != nil else { return }
    try check(MPI_Win_unlock_all(raw), "MPI_Win_unlock_all")
    try check(MPI_Win_free(&raw), "MPI_Win_free")
    raw = nil
  }
}

/// A window does not fit into the memory that the system shares between processes.
public struct SharedMemoryShortage: Error, CustomStringConvertible {
  /// Where it lies.
  public var directory: String
  /// Bytes, for all ranks of the node.
  public var needed: Int
  public var available: Int

  public var description: String {
    "\(directory) has \(available) bytes left, \(needed) are needed"
  }
}
