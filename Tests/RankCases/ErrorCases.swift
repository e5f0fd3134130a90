import MPI

/// Errors are thrown, with the call, MPI's class and text, and the rank.
func errorsCase(_ world: Communicator) throws {
  let bytes = pattern(0, 100)
  do {
    try bytes.withUnsafeBytes { try world.send($0, to: world.size) }
    throw CaseFailure(description: "a send to a rank that does not exist succeeded")
  } catch let error as MPIError {
    try expect(error.call == "MPI_Send", "the call: \(error)")
    try expect(error.text.contains("rank"), "MPI's text: \(error)")
    try expect(error.rank == world.rank, "the rank: \(error)")
    try expect("\(error)".contains("MPI_Send failed on rank \(world.rank)"), "in words: \(error)")
  }
  guard world.size > 1 else { return }
  // A message longer than the buffer.
  if world.rank == 0 {
    try bytes.withUnsafeBytes { try world.send($0, to: 1) }
  } else if world.rank == 1 {
    var small = [UInt8](repeating: 0, count: 10)
    do {
      try small.withUnsafeMutableBytes { try world.receive($0, from: 0) }
      throw CaseFailure(description: "100 bytes fitted into 10")
    } catch let error as MPIError {
      try expect(error.text.contains("truncated"), "MPI's text: \(error)")
    }
  }
}

/// What a case throws on purpose.
struct DeliberateError: Error, CustomStringConvertible {
  var description: String { "on purpose" }
}

/// The last rank throws while the others wait for it: the job ends, and the error is reported.
func throwCase(_ world: Communicator) throws {
  if world.rank == world.size - 1 { throw DeliberateError() }
  try world.barrier()
}

/// Drops a request that has not completed: the process must not go on.
func droppedRequestCase(_ world: Communicator) throws {
  let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 8, alignment: 8)
  let request = try world.startReceive(bytes, from: world.rank, tag: 9)
  _ = consume request
}
