import CMPI

/// Memory that all ranks of a node read and write directly: one allocation, a segment per rank.
///
/// The corresponding C functions are `MPI_Win_allocate_shared` and `MPI_Win_shared_query` (MPI 3.1,
/// section 11.2.3). Ranks that exchange data through it order their accesses with `synchronize()`
/// and messages or a barrier.
public final class SharedWindow {
  private var raw: MPI_Win?

  /// Every rank's segment, as this process sees it; sizes in bytes as each rank asked for.
  public let segments: [UnsafeMutableRawBufferPointer]

  /// Allocates `byteCount` bytes for this rank. Collective over `node`, whose ranks must share memory
  /// (`splitByNode()`).
  /// - Throws: `MPIError` if the ranks do not share memory or it is exhausted.
  public init(byteCount: Int, on node: Communicator) throws(MPIError) {
    precondition(byteCount >= 0)
    var window: MPI_Win? = nil
    var base: UnsafeMutableRawPointer?
    try check(
      MPI_Win_allocate_shared(
        MPI_Aint(byteCount), 1, CMPI_INFO_NULL(), node.raw, &base, &window),
      "MPI_Win_allocate_shared")
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

  /// Makes this rank's stores visible to the others, and theirs to this one.
  ///
  /// The corresponding C function is `MPI_Win_sync` (MPI 3.1, section 11.5.4).
  public func synchronize() throws(MPIError) {
    try check(MPI_Win_sync(raw), "MPI_Win_sync")
  }

  /// Frees the memory. Collective; no rank may touch a segment afterwards. It is not done when the
  /// value is dropped, which happens at another time on every rank; a window that is never freed lives
  /// until MPI ends.
  ///
  /// The corresponding C function is `MPI_Win_free` (MPI 3.1, section 11.2.5).
  public func free() throws(MPIError) {
    guard raw != nil else { return }
    try check(MPI_Win_unlock_all(raw), "MPI_Win_unlock_all")
    try check(MPI_Win_free(&raw), "MPI_Win_free")
    raw = nil
  }
}
