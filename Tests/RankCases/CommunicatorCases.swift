import MPI

/// Communicators made from others: who is in them, and that their messages do not mix.
func splitCase(_ world: Communicator) throws {
  let node = try world.splitByNode()
  try expect(node.size == world.size, "all ranks of this test share memory")
  try expect(node.rank == world.rank, "in the same order")

  let half = try world.split(color: world.rank % 2)
  try expect(half.size == (world.size + 1 - world.rank % 2) / 2, "every other rank")
  try expect(half.rank == world.rank / 2, "in the order of the world")

  // The same peer and tag in two communicators: each message arrives where it was sent.
  let copy = try world.duplicate()
  let next = (world.rank + 1) % world.size
  let previous = (world.rank + world.size - 1) % world.size
  let (a, b) = (pattern(world.rank, 64), pattern(world.rank + 100, 64))
  var (fromWorld, fromCopy) = ([UInt8](repeating: 0, count: 64), [UInt8](repeating: 0, count: 64))
  try a.withUnsafeBytes { a in
    try b.withUnsafeBytes { b in
      var first = try world.startSend(a, to: next, tag: 1)
      var second = try copy.startSend(b, to: next, tag: 1)
      try fromCopy.withUnsafeMutableBytes { try copy.receive($0, from: previous, tag: 1) }
      try fromWorld.withUnsafeMutableBytes { try world.receive($0, from: previous, tag: 1) }
      try first.wait()
      try second.wait()
    }
  }
  try expect(fromWorld == pattern(previous, 64), "the world's message")
  try expect(fromCopy == pattern(previous + 100, 64), "the copy's message")
  try copy.free()
  try half.free()
  try node.free()
}

/// Every rank writes its segment of a shared window, and reads everybody's.
func sharedWindowCase(_ world: Communicator) throws {
  let node = try world.splitByNode()
  // Different sizes, one of them zero.
  let window = try SharedWindow(byteCount: 4096 * node.rank, on: node)
  try expect(window.segments.map(\.count) == (0..<node.size).map { 4096 * $0 }, "sizes")
  window.segments[node.rank].copyBytes(from: pattern(node.rank, 4096 * node.rank))
  try window.synchronize()
  try node.barrier()
  try window.synchronize()
  for rank in 0..<node.size {
    try expect(Array(window.segments[rank]) == pattern(rank, 4096 * rank), "segment of \(rank)")
  }
  try node.barrier()
  try window.free()
}
