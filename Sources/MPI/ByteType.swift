import CMPI

/// How a run of bytes is described to an MPI call, whose counts are 32-bit: up to the limit as that
/// many `MPI_BYTE`; beyond, as one element of a derived datatype,
///
///     | piece | piece | ... | piece | rest |        piece = a run of `limit` bytes
///
/// which MPI keeps alive for as long as a message needs it.
struct ByteType: ~Copyable {
  let raw: MPI_Datatype
  let count: Int32
  private let isDerived: Bool

  init(bytes: Int, limit: Int) throws(MPIError) {
    precondition(bytes >= 0 && limit > 0 && limit <= Int(Int32.max))
    guard bytes > limit else {
      raw = CMPI_BYTE()
      count = Int32(bytes)
      isDerived = false
      return
    }
    var piece: MPI_Datatype? = nil
    try check(MPI_Type_contiguous(Int32(limit), CMPI_BYTE(), &piece), "MPI_Type_contiguous")
    defer { MPI_Type_free(&piece) }
    let rest = bytes % limit
    var whole: MPI_Datatype? = nil
    try check(
      MPI_Type_create_struct(
        2, [Int32(bytes / limit), Int32(rest)], [0, MPI_Aint(bytes - rest)],
        [piece, CMPI_BYTE()], &whole), "MPI_Type_create_struct")
    try check(MPI_Type_commit(&whole), "MPI_Type_commit")
    raw = whole!
    count = 1
    isDerived = true
  }

  deinit {
    guard isDerived else { return }
    var type: MPI_Datatype? = raw
    MPI_Type_free(&type)
  }
}
