import MPI

/// Bytes go round the ring: blocking, nonblocking, tested, synchronous; lengths from 0 up.
func pointToPointCase(_ world: Communicator) throws {
  let next = (world.rank + 1) % world.size
  let previous = (world.rank + world.size - 1) % world.size
  for count in [0, 1, 7, 1000, 100_003] {
    let sent = pattern(world.rank, count)
    let expected = pattern(previous, count)

    var received = [UInt8](repeating: 0, count: count)
    if world.size > 1 {
      // Even ranks send first: correct without any buffering by MPI.
      try sent.withUnsafeBytes { bytes in
        try received.withUnsafeMutableBytes { target in
          if world.rank.isMultiple(of: 2) {
            try world.send(bytes, to: next, tag: 3)
            try world.receive(target, from: previous, tag: 3)
          } else {
            try world.receive(target, from: previous, tag: 3)
            try world.send(bytes, to: next, tag: 3)
          }
        }
      }
      try expect(received == expected, "blocking, \(count) bytes")
    }

    for synchronous in [false, true] {
      received = [UInt8](repeating: 0, count: count)
      try sent.withUnsafeBytes { bytes in
        try received.withUnsafeMutableBytes { target in
          var receive = try world.startReceive(target, from: previous, tag: 4)
          var send =
            synchronous
            ? try world.startSynchronousSend(bytes, to: next, tag: 4)
            : try world.startSend(bytes, to: next, tag: 4)
          while try !receive.test() {}
          try send.wait()
          try expect(send.isComplete && receive.isComplete, "requests complete")
        }
      }
      try expect(received == expected, "nonblocking, \(count) bytes, synchronous: \(synchronous)")
    }
  }
}

/// Messages above the count limit travel as derived datatypes. The limit is lowered, so that
/// kilobytes show what gigabytes would need.
func largeCountsCase(_ world: Communicator) throws {
  let world = try world.duplicate()
  world.countLimit = 1000
  for count in [999, 1000, 1001, 2000, 10_007] {
    let next = (world.rank + 1) % world.size
    let previous = (world.rank + world.size - 1) % world.size
    let sent = pattern(world.rank, count)
    var received = [UInt8](repeating: 0, count: count)
    try sent.withUnsafeBytes { bytes in
      try received.withUnsafeMutableBytes { target in
        var receive = try world.startReceive(target, from: previous)
        var send = try world.startSend(bytes, to: next)
        try receive.wait()
        try send.wait()
      }
    }
    try expect(received == pattern(previous, count), "\(count) bytes, point to point")

    var shared = pattern(world.rank == world.size - 1 ? 5 : world.rank, count)
    try shared.withUnsafeMutableBytes { try world.broadcast($0, root: world.size - 1) }
    try expect(shared == pattern(5, count), "\(count) bytes, broadcast")

    var floats = (0..<count).map { Float($0 % 100 + world.rank) }
    try floats.withUnsafeMutableBufferPointer { try world.allreduce($0) }
    let ranks = world.size * (world.size - 1) / 2
    let sums = (0..<count).map { Float($0 % 100 * world.size + ranks) }
    try expect(floats == sums, "\(count) floats, allreduce in place")
    var target = [Float](repeating: 0, count: count)
    let source = (0..<count).map { Float($0 % 100 + world.rank) }
    try source.withUnsafeBufferPointer { source in
      try target.withUnsafeMutableBufferPointer { try world.allreduce(source, into: $0) }
    }
    try expect(target == sums, "\(count) floats, allreduce out of place")
  }
}
