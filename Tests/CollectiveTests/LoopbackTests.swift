import Foundation
import Kernels
import Testing

@testable import Collective

/// Integers in Float, distinct per rank and index: sums are exact, and a swapped chunk shows.
private func input(_ rank: Int, _ index: Int) -> Float {
  Float((index * 7 + rank * 1009) % 4093 + rank)
}

@Test("all ranks end with the same bits", arguments: AllreduceAlgorithm.allCases)
func sameBits(algorithm: AllreduceAlgorithm) throws {
  let results = try LoopbackTransport.run(ranks: 7) { transport in
    var values = [Float](repeating: 0, count: 1000)
    RandomStream(seed: 1, purpose: .syntheticData, instance: transport.rank)
      .withBuffer(&values)
    try values.withUnsafeMutableBufferPointer {
      try ProcessGroup(transport).allreduce($0, .sum, .schedule(algorithm))
    }
    return values.map(\.bitPattern)
  }
  for result in results { #expect(result == results[0]) }
}

@Test("a canonical allreduce of shard sums has the same bits on 1, 2, 4 and 8 ranks")
func canonicalBits() throws {
  // Every rank first adds its own run of 8 shards along the tree, as a trainer does.
  let shards = (0..<8).map { shard in
    var values = [Float](repeating: 0, count: 500)
    RandomStream(seed: 2, purpose: .syntheticData, instance: shard).withBuffer(&values)
    return values
  }
  func treeSum(_ run: Range<Int>) -> [Float] {
    guard run.count > 1 else { return shards[run.lowerBound] }
    let middle = run.lowerBound + run.count / 2
    return zip(treeSum(run.lowerBound..<middle), treeSum(middle..<run.upperBound)).map(+)
  }
  for algorithm in AllreduceAlgorithm.allCases {
    for ranks in [1, 2, 4, 8] where algorithm.isCanonical(size: ranks) {
      let parts = (0..<ranks).map { treeSum($0 * 8 / ranks..<($0 + 1) * 8 / ranks) }
      let results = try LoopbackTransport.run(ranks: ranks) { transport in
        var values = parts[transport.rank]
        try values.withUnsafeMutableBufferPointer {
          try ProcessGroup(transport).allreduce($0, .sum, .schedule(algorithm))
        }
        return values
      }
      #expect(results[0].map(\.bitPattern) == treeSum(0..<8).map(\.bitPattern))
    }
  }
  // Another order gives other bits: the test can fail.
  let plain = shards.dropFirst().reduce(shards[0]) { zip($0, $1).map(+) }
  #expect(plain != treeSum(0..<8))
}

@Test("canonical allreduces have the same bits on any number of ranks", arguments: 1...9)
func canonicalAgreement(ranks: Int) throws {
  let results = try AllreduceAlgorithm.allCases.filter { $0.isCanonical(size: ranks) }
    .map { algorithm in
      try LoopbackTransport.run(ranks: ranks) { transport in
        var values = [Float](repeating: 0, count: 500)
        RandomStream(seed: 3, purpose: .syntheticData, instance: transport.rank)
          .withBuffer(&values)
        try values.withUnsafeMutableBufferPointer {
          try ProcessGroup(transport).allreduce($0, .sum, .schedule(algorithm))
        }
        return values.map(\.bitPattern)
      }[0]
    }
  #expect(results.count >= 2)
  for result in results { #expect(result == results[0]) }
}

@Test("several operations in flight do not mix, in whatever order they are waited for")
func inFlight() throws {
  let results = try LoopbackTransport.run(ranks: 5) { transport -> Bool in
    let group = try ProcessGroup(transport)
    let buffers = [1, 999, 4096, 4096, 17].map { AlignedBuffer(count: $0) }
    for call in 0..<50 {
      for buffer in buffers {
        for index in 0..<buffer.count { buffer.base[index] = input(transport.rank + call, index) }
      }
      let operations = try buffers.enumerated().map { number, buffer in
        try group.startAllreduce(
          buffer.elements, .sum, .schedule(number.isMultiple(of: 2) ? .ring : .tree))
      }
      // Ranks wait in different orders: legal, as long as they started in the same one.
      let order = transport.rank.isMultiple(of: 2) ? operations : operations.reversed()
      for operation in operations { _ = try operation.progress() }
      var waiting = order
      while !waiting.isEmpty {
        waiting = try waiting.filter { try !$0.progress() }
      }
      for operation in order { try operation.wait() }
      for buffer in buffers {
        for index in 0..<buffer.count {
          let sum = (0..<5).reduce(Float(0)) { $0 + input($1 + call, index) }
          guard buffer.base[index] == sum else { return false }
        }
      }
    }
    return true
  }
  #expect(results == Array(repeating: true, count: 5))
}

private struct OnPurpose: Error {}

@Test(
  "a rank that throws releases the others, and its own error is reported",
  arguments: Placement.allCases)
func leaving(placement: Placement) {
  let nodes = NodeMap(keys: (0..<4).map { placement.node(of: $0, size: 4) })
  #expect(throws: OnPurpose.self) {
    _ = try LoopbackTransport.run(ranks: 4, nodes: nodes) { transport in
      let group = try ProcessGroup(transport)
      if transport.rank == 2 { throw OnPurpose() }
      var values: [Float] = [1]
      try values.withUnsafeMutableBufferPointer { try group.allreduce($0) }
    }
  }
}

@Test("ranks that disagree on a length are told so by name, and both lengths", arguments: 2...4)
func lengthMismatch(ranks: Int) {
  let error = #expect(throws: CallMismatch.self) {
    _ = try LoopbackTransport.run(ranks: ranks) { transport in
      var values = [Float](repeating: 1, count: transport.rank == 1 ? 5 : 4)
      try values.withUnsafeMutableBufferPointer { try ProcessGroup(transport).allreduce($0) }
    }
  }
  #expect(error?.description.contains("rank 1 called allreduce(5 x float32, sum)") == true)
}

@Test("allgather keeps the ranks' order and lengths, call after call")
func allgather() throws {
  let results = try LoopbackTransport.run(ranks: 6) { transport in
    try (0..<20).map { call in
      try transport.allgather(Array(repeating: UInt8(call), count: transport.rank))
    }
  }
  for result in results {
    for (call, gathered) in result.enumerated() {
      #expect(gathered == (0..<6).map { Array(repeating: UInt8(call), count: $0) })
    }
  }
}

/// Floats that two ranks may look at, and when one has started a message of them.
private struct SharedFloats: @unchecked Sendable {
  let buffer = AlignedBuffer(count: 2)
  let started = DispatchSemaphore(value: 0)
  var bytes: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(buffer.elements) }
}

@Test("what a rank frees on its way out is neither written to nor read", arguments: [true, false])
func freedMemory(receives: Bool) throws {
  struct Failure: Error {}
  let leaving = SharedFloats()
  let staying = SharedFloats()
  staying.buffer.elements.update(repeating: 1)
  #expect(throws: Failure.self) {
    _ = try LoopbackTransport.run(ranks: 2) { transport in
      let isLeaving = transport.rank == 0
      let bytes = isLeaving ? leaving.bytes : staying.bytes
      if !isLeaving { leaving.started.wait() }
      let transfer =
        if receives == isLeaving {
          try transport.startReceive(bytes, from: 1 - transport.rank, tag: 0)
        } else {
          try transport.startSend(UnsafeRawBufferPointer(bytes), to: 1 - transport.rank, tag: 0)
        }
      if isLeaving {
        leaving.started.signal()
        // What its objects take to go away.
        staying.started.wait()
        throw Failure()
      }
      // The message has both sides.
      staying.started.signal()
      while !(try transport.test(transfer)) { sched_yield() }
    }
  }
  #expect(Array(leaving.buffer.elements) == [0, 0])
  #expect(Array(staying.buffer.elements) == [1, 1])
}

@Test("the choice is canonical where it must be, and goes from few rounds to few bytes")
func choice() {
  for size in 1...9 {
    for bytes in [4, 1 << 12, 1 << 20, 1 << 28] {
      #expect(
        AllreduceAlgorithm.choice(byteCount: bytes, size: size, canonical: true)
          .isCanonical(size: size))
    }
  }
  for canonical in [true, false] {
    #expect(
      AllreduceAlgorithm.choice(byteCount: 1 << 20, size: 4, canonical: canonical)
        == .halvingDoubling)
    #expect(
      AllreduceAlgorithm.choice(byteCount: 1 << 10, size: 4, canonical: canonical)
        == .recursiveDoubling)
  }
}

extension RandomStream {
  fileprivate func withBuffer(_ values: inout [Float]) {
    values.withUnsafeMutableBufferPointer { fillUniform($0, bound: 1) }
  }
}
