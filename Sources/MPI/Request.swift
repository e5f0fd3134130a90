import CMPI

/// A send or receive under way. Its buffer belongs to MPI until it has completed.
///
/// A request cannot be copied, and it cannot be forgotten: one that is dropped before it has
/// completed stops the process, because its buffer would be freed under MPI's hands; also when an
/// error of the caller's own is thrown past it. (Not when an MPI call has failed: then that error
/// is on its way out, and the job with it.)
public struct Request: ~Copyable {
  private var raw: MPI_Request?

  init(_ raw: MPI_Request?) { self.raw = raw }

  /// Blocks until the message has left, or has arrived.
  ///
  /// The corresponding C function is `MPI_Wait` (MPI 3.1, section 3.7.3).
  public mutating func wait() throws(MPIError) {
    try check(MPI_Wait(&raw, CMPI_STATUS_IGNORE()), "MPI_Wait")
  }

  /// Whether the message has left, or has arrived; lets MPI make progress.
  ///
  /// The corresponding C function is `MPI_Test` (MPI 3.1, section 3.7.3).
  public mutating func test() throws(MPIError) -> Bool {
    var done: Int32 = 0
    try check(MPI_Test(&raw, &done, CMPI_STATUS_IGNORE()), "MPI_Test")
    return done != 0
  }

  /// MPI sets a completed request to null.
  public var isComplete: Bool { raw == CMPI_REQUEST_NULL() }

  /// Gives the transfer up: a receive is called back, a send may still leave. Where it is too late
  /// for that, MPI goes on reading or writing the buffer, until it ends: for memory that stays, and
  /// for jobs that are about to end.
  ///
  /// The corresponding C functions are `MPI_Cancel` and `MPI_Request_free` (MPI 3.1, sections 3.8.4
  /// and 3.7.3).
  public consuming func abandon() {
    guard !isComplete, Session.isActive else { return }
    MPI_Cancel(&raw)
    MPI_Request_free(&raw)
  }

  deinit {
    precondition(
      isComplete || !Session.isActive || MPIError.hasOccurred,
      "an MPI request was dropped before it had completed: call wait() on it")
  }
}
