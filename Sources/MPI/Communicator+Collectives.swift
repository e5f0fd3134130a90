import CMPI

// MPI's own collectives, for control traffic. Gradients go through `Collective`.

extension Communicator {
  /// Returns when every rank has called it.
  ///
  /// The corresponding C function is `MPI_Barrier` (MPI 3.1, section 5.3).
  public func barrier() throws(MPIError) {
    try check(MPI_Barrier(raw), "MPI_Barrier")
  }

  /// Copies `root`'s bytes to every rank; all pass the same length.
  ///
  /// The corresponding C function is `MPI_Bcast` (MPI 3.1, section 5.4).
  public func broadcast(
    _ bytes: UnsafeMutableRawBufferPointer, root: Int = 0
  ) throws(MPIError) {
    let type = try ByteType(bytes: bytes.count, limit: countLimit)
    try check(MPI_Bcast(bytes.baseAddress, type.count, type.raw, Int32(root), raw), "MPI_Bcast")
  }

  /// Collects every rank's bytes, of whatever lengths, on `root`; the others get nil.
  ///
  /// The corresponding C functions are `MPI_Gather` and `MPI_Gatherv` (MPI 3.1, section 5.5).
  /// - Precondition: less than 2 GiB in all.
  public func gather(_ bytes: [UInt8], root: Int = 0) throws(MPIError) -> [[UInt8]]? {
    var length = Int32(bytes.count)
    var lengths = [Int32](repeating: 0, count: rank == root ? size : 0)
    try check(
      MPI_Gather(&length, 1, CMPI_INT(), &lengths, 1, CMPI_INT(), Int32(root), raw), "MPI_Gather")
    let offsets = lengths.reduce(into: [Int32(0)]) { $0.append($0.last! + $1) }
    var joined = [UInt8](repeating: 0, count: Int(offsets.last!))
    try check(
      MPI_Gatherv(
        bytes, length, CMPI_BYTE(), &joined, lengths, offsets, CMPI_BYTE(), Int32(root), raw),
      "MPI_Gatherv")
    guard rank == root else { return nil }
    return (0..<size).map { Array(joined[Int(offsets[$0])..<Int(offsets[$0 + 1])]) }
  }

  /// Collects every rank's bytes, of whatever lengths, on every rank.
  ///
  /// The corresponding C functions are `MPI_Allgather` and `MPI_Allgatherv` (MPI 3.1, section 5.7).
  /// - Precondition: less than 2 GiB in all.
  public func allgather(_ bytes: [UInt8]) throws(MPIError) -> [[UInt8]] {
    var length = Int32(bytes.count)
    var lengths = [Int32](repeating: 0, count: size)
    try check(MPI_Allgather(&length, 1, CMPI_INT(), &lengths, 1, CMPI_INT(), raw), "MPI_Allgather")
    let offsets = lengths.reduce(into: [Int32(0)]) { $0.append($0.last! + $1) }
    var joined = [UInt8](repeating: 0, count: Int(offsets.last!))
    try check(
      MPI_Allgatherv(bytes, length, CMPI_BYTE(), &joined, lengths, offsets, CMPI_BYTE(), raw),
      "MPI_Allgatherv")
    return (0..<size).map { Array(joined[Int(offsets[$0])..<Int(offsets[$0 + 1])]) }
  }
}
