import CMPI

// Messages are bytes: what they mean is the caller's. A message of any length is one MPI message.

extension Communicator {
  /// Sends `bytes` and returns when the buffer may be used again.
  ///
  /// The corresponding C function is `MPI_Send` (MPI 3.1, section 3.2.1).
  public func send(_ bytes: UnsafeRawBufferPointer, to peer: Int, tag: Int = 0) throws(MPIError) {
    let type = try ByteType(bytes: bytes.count, limit: countLimit)
    try check(
      MPI_Send(bytes.baseAddress, type.count, type.raw, Int32(peer), Int32(tag), raw), "MPI_Send")
  }

  /// Receives a message of exactly `bytes.count` bytes.
  /// - Throws: `MPIError` if a longer message arrives (class `MPI_ERR_TRUNCATE`).
  ///
  /// The corresponding C function is `MPI_Recv` (MPI 3.1, section 3.2.4).
  public func receive(
    _ bytes: UnsafeMutableRawBufferPointer, from peer: Int, tag: Int = 0
  ) throws(MPIError) {
    let type = try ByteType(bytes: bytes.count, limit: countLimit)
    try check(
      MPI_Recv(
        bytes.baseAddress, type.count, type.raw, Int32(peer), Int32(tag), raw,
        CMPI_STATUS_IGNORE()), "MPI_Recv")
  }

  /// Starts a send. `bytes` must stay as it is until the request has completed.
  ///
  /// The corresponding C function is `MPI_Isend` (MPI 3.1, section 3.7.2).
  public func startSend(
    _ bytes: UnsafeRawBufferPointer, to peer: Int, tag: Int = 0
  ) throws(MPIError) -> Request {
    let type = try ByteType(bytes: bytes.count, limit: countLimit)
    var request: MPI_Request? = CMPI_REQUEST_NULL()
    try check(
      MPI_Isend(
        bytes.baseAddress, type.count, type.raw, Int32(peer), Int32(tag), raw, &request),
      "MPI_Isend")
    return Request(request)
  }

  /// Starts a send that completes only when the receiver has started to receive: what is correct
  /// with it does not depend on MPI's buffers.
  ///
  /// The corresponding C function is `MPI_Issend` (MPI 3.1, section 3.7.2).
  public func startSynchronousSend(
    _ bytes: UnsafeRawBufferPointer, to peer: Int, tag: Int = 0
  ) throws(MPIError) -> Request {
    let type = try ByteType(bytes: bytes.count, limit: countLimit)
    var request: MPI_Request? = CMPI_REQUEST_NULL()
    try check(
      MPI_Issend(
        bytes.baseAddress, type.count, type.raw, Int32(peer), Int32(tag), raw, &request),
      "MPI_Issend")
    return Request(request)
  }

  /// Starts a receive. `bytes` must not be touched until the request has completed.
  ///
  /// The corresponding C function is `MPI_Irecv` (MPI 3.1, section 3.7.2).
  public func startReceive(
    _ bytes: UnsafeMutableRawBufferPointer, from peer: Int, tag: Int = 0
  ) throws(MPIError) -> Request {
    let type = try ByteType(bytes: bytes.count, limit: countLimit)
    var request: MPI_Request? = CMPI_REQUEST_NULL()
    try check(
      MPI_Irecv(
        bytes.baseAddress, type.count, type.raw, Int32(peer), Int32(tag), raw, &request),
      "MPI_Irecv")
    return Request(request)
  }
}
