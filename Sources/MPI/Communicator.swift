import CMPI

/// A group of ranks that can talk to each other, and nobody else.
///
/// Not `Sendable`: the compiler keeps all MPI calls on the thread that started MPI.
public final class Communicator {
  let raw: MPI_Comm
  private let isOwned: Bool

  /// This process's number in the group, 0..<size.
  public let rank: Int
  /// How many processes the group has.
  public let size: Int

  /// The most elements that one MPI call is given; larger messages travel as one derived datatype.
  package var countLimit = Int(Int32.max)

  /// A communicator that somebody else frees.
  convenience init(borrowing raw: MPI_Comm) throws(MPIError) { try self.init(raw, isOwned: false) }

  private init(_ raw: MPI_Comm, isOwned: Bool) throws(MPIError) {
    var rank: Int32 = 0
    var size: Int32 = 0
    try check(MPI_Comm_rank(raw, &rank), "MPI_Comm_rank")
    try check(MPI_Comm_size(raw, &size), "MPI_Comm_size")
    self.raw = raw
    self.isOwned = isOwned
    self.rank = Int(rank)
    self.size = Int(size)
  }

  /// Gives back what `duplicate` or a split has made. Collective; the value must not be used
  /// afterwards. It is not done when the value is dropped, which happens at another time on every
  /// rank; what is never freed lives until MPI ends.
  ///
  /// The corresponding C function is `MPI_Comm_free` (MPI 3.1, section 6.4.3).
  public func free() throws(MPIError) {
    precondition(isOwned, "MPI_COMM_WORLD is not freed")
    var raw: MPI_Comm? = raw
    try check(MPI_Comm_free(&raw), "MPI_Comm_free")
  }

  /// The same ranks with a message space of their own. Collective.
  ///
  /// The corresponding C function is `MPI_Comm_dup` (MPI 3.1, section 6.4.2).
  public func duplicate() throws(MPIError) -> Communicator {
    var new: MPI_Comm? = CMPI_COMM_NULL()
    try check(MPI_Comm_dup(raw, &new), "MPI_Comm_dup")
    return try Communicator(new!, isOwned: true)
  }

  /// The ranks of `self` that share memory with this one, in the same order. Collective.
  ///
  /// The corresponding C function is `MPI_Comm_split_type` (MPI 3.1, section 6.4.2).
  public func splitByNode() throws(MPIError) -> Communicator {
    var new: MPI_Comm? = CMPI_COMM_NULL()
    try check(
      MPI_Comm_split_type(raw, Int32(MPI_COMM_TYPE_SHARED), Int32(rank), CMPI_INFO_NULL(), &new),
      "MPI_Comm_split_type")
    return try Communicator(new!, isOwned: true)
  }

  /// The ranks that pass the same `color`, in the order of `self`. Collective.
  ///
  /// The corresponding C function is `MPI_Comm_split` (MPI 3.1, section 6.4.2).
  public func split(color: Int) throws(MPIError) -> Communicator {
    var new: MPI_Comm? = CMPI_COMM_NULL()
    try check(MPI_Comm_split(raw, Int32(color), Int32(rank), &new), "MPI_Comm_split")
    return try Communicator(new!, isOwned: true)
  }
}
