import MPI

/// MPI's own collectives: every root, lengths that differ by rank, none at all.
func collectivesCase(_ world: Communicator) throws {
  try world.barrier()
  for root in 0..<world.size {
    var bytes = pattern(world.rank, 1000)
    try bytes.withUnsafeMutableBytes { try world.broadcast($0, root: root) }
    try expect(bytes == pattern(root, 1000), "broadcast from \(root)")

    let gathered = try world.gather(pattern(world.rank, 10 * world.rank), root: root)
    if world.rank == root {
      try expect(
        gathered == (0..<world.size).map { pattern($0, 10 * $0) }, "gather on \(root)")
    } else {
      try expect(gathered == nil, "only the root gathers")
    }
  }
  let all = try world.allgather(pattern(world.rank, 7 * (world.size - world.rank - 1)))
  try expect(
    all == (0..<world.size).map { pattern($0, 7 * (world.size - $0 - 1)) }, "allgather")

  var sums = (0..<100).map { Float($0 * (world.rank + 1)) }
  try sums.withUnsafeMutableBufferPointer { try world.allreduce($0) }
  let factor = world.size * (world.size + 1) / 2
  try expect(sums == (0..<100).map { Float($0 * factor) }, "allreduce")
}
