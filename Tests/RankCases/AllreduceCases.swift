import Collective
import Kernels
import MPI

/// Integers in Float, distinct per rank and index: sums are exact, and a swapped chunk shows.
func input(_ rank: Int, _ index: Int, _ call: Int = 0) -> Float {
  Float((index * 7 + rank * 1009 + call * 13) % inputPeriod + rank)
}

/// Indices after which inputs repeat.
let inputPeriod = 4093

/// Every algorithm, many counts, usual and synchronous sends, against the exact sums.
func allreduceCase(_ world: Communicator) throws {
  let p = world.size
  for synchronous in [false, true] {
    let transport = try MPITransport(world, sendsSynchronously: synchronous)
    var options = ProcessGroup.Options()
    options.usesSharedMemory = false
    let group = try ProcessGroup(transport, options: options)
    for algorithm in AllreduceAlgorithm.allCases {
      // The largest takes several segments.
      for count in [0, 1, p - 1, p, p + 1, 1000, 7919, 1_100_003] {
        var values = (0..<count).map { input(p - 1 - world.rank, $0) }
        try values.withUnsafeMutableBufferPointer {
          try group.allreduce($0, .sum, .schedule(algorithm))
        }
        for index in 0..<count {
          let sum = (0..<p).reduce(Float(0)) { $0 + input($1, index) }
          try expect(
            values[index] == sum, "\(algorithm), count \(count), element \(index): \(values[index])"
          )
        }
      }
    }
  }
}

/// Several operations at once, of different sizes and algorithms, waited for out of order; a
/// thousand calls back to back.
func inFlightCase(_ world: Communicator) throws {
  let group = try ProcessGroup(MPITransport(world, sendsSynchronously: true))
  let counts = [1, 999, 4096, 4096, 50_000, 17]
  let buffers = counts.map { AlignedBuffer(count: $0) }
  for call in 0..<1000 {
    let inputs = (0..<inputPeriod).map { input(world.rank, $0, call) }
    let sums = (0..<inputPeriod).map { index in
      (0..<world.size).reduce(Float(0)) { $0 + input($1, index, call) }
    }
    for buffer in buffers {
      for index in 0..<buffer.count { buffer.base[index] = inputs[index % inputPeriod] }
    }
    let operations = try buffers.enumerated().map { number, buffer in
      try group.startAllreduce(
        buffer.elements, .sum, [.schedule(.ring), .schedule(.tree), .hierarchical][number % 3])
    }
    for operation in operations { _ = try operation.progress() }
    for operation in call.isMultiple(of: 2) ? operations : operations.reversed() {
      try operation.wait()
    }
    for (number, buffer) in buffers.enumerated() {
      for index in 0..<buffer.count {
        try expect(
          buffer.base[index] == sums[index % inputPeriod],
          "call \(call), operation \(number), element \(index)")
      }
    }
  }
}

/// The transport's own promises: order within a tag, many transfers at once, allgather.
func transportCase(_ world: Communicator) throws {
  let transport = try MPITransport(world)
  let peer = (world.rank + 1) % world.size
  let source = (world.rank + world.size - 1) % world.size
  // More transfers than the transport first has room for.
  let messages = (0..<100).map { pattern(world.rank + $0, 50) }
  let arrivals = (0..<100).map { _ in
    UnsafeMutableRawBufferPointer.allocate(byteCount: 50, alignment: 8)
  }
  defer { arrivals.forEach { $0.deallocate() } }
  let receives = try arrivals.map { try transport.startReceive($0, from: source, tag: 1) }
  let copies = messages.map { message in
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: 50, alignment: 8)
    copy.copyBytes(from: message)
    return copy
  }
  defer { copies.forEach { $0.deallocate() } }
  let sends = try copies.map {
    try transport.startSend(UnsafeRawBufferPointer($0), to: peer, tag: 1)
  }
  for receive in receives { while try !transport.test(receive) {} }
  for send in sends { while try !transport.test(send) {} }
  for (number, arrival) in arrivals.enumerated() {
    try expect(Array(arrival) == pattern(source + number, 50), "message \(number)")
  }
  let all = try transport.allgather(Array("rank \(world.rank)".utf8))
  try expect(
    all.map { String(decoding: $0, as: UTF8.self) } == (0..<world.size).map { "rank \($0)" },
    "allgather")
}
