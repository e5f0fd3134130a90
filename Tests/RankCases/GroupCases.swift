import Collective
import Foundation
import MPI

/// Sums of `input`, worked out once for the largest count: what is checked many times is compared
/// with it.
private struct Sums {
  private let inputs: UnsafeMutableBufferPointer<Float>
  private let sums: UnsafeMutableBufferPointer<Float>

  init(_ world: Communicator, count: Int) {
    inputs = .allocate(capacity: count)
    sums = .allocate(capacity: count)
    // A prime number of distinct values, repeated.
    for index in 0..<count {
      if index < 1021 {
        inputs.initializeElement(at: index, to: input(world.rank, index))
        sums.initializeElement(
          at: index, to: (0..<world.size).reduce(0) { $0 + input($1, index) })
      } else {
        inputs.initializeElement(at: index, to: inputs[index - 1021])
        sums.initializeElement(at: index, to: sums[index - 1021])
      }
    }
  }

  func fill(_ buffer: UnsafeMutableBufferPointer<Float>) {
    memcpy(buffer.baseAddress!, inputs.baseAddress!, buffer.count * 4)
  }

  func expectSum(_ buffer: UnsafeMutableBufferPointer<Float>, _ what: @autoclosure () -> String)
    throws
  {
    try expect(
      memcmp(buffer.baseAddress!, sums.baseAddress!, buffer.count * 4) == 0,
      "\(what()), \(buffer.count) elements")
  }
}

/// Every way to reduce, counts around every limit, in memory of the group and elsewhere.
func groupCase(_ world: Communicator, _ joining: Joining) throws {
  let group = try joining.group(world)
  // Beyond the number of slots and of segments under way.
  let most = 300_007
  let sums = Sums(world, count: most)
  let memory = try group.allocate(Float.self, count: most)
  let own = UnsafeMutableBufferPointer<Float>.allocate(capacity: most)
  defer { own.deallocate() }
  for buffer in [memory, own] {
    for count in [0, 1, world.size - 1, world.size + 1, 1000, 8193, 65_537, most] {
      let part = UnsafeMutableBufferPointer(rebasing: buffer[..<count])
      for method in joining == .messages ? AllreduceMethod.allCases : [.hierarchical] {
        sums.fill(part)
        try group.allreduce(part, .sum, method)
        try sums.expectSum(part, method.rawValue)
      }
    }
  }
}

/// Ten thousand calls back to back, from 4 bytes to 64 KB and a few of 4 MB, with operations in
/// flight and delays that differ by rank.
func endlessCase(_ world: Communicator, _ joining: Joining) throws {
  let group = try joining.group(world)
  let sums = Sums(world, count: 1 << 20)
  let memory = try group.allocate(Float.self, count: 1 << 20)
  let small = try group.allocate(Float.self, count: 777)
  var random = UInt64(world.rank + 1) &* 0x9e37_79b9_7f4a_7c15
  for call in 0..<10_000 {
    let count =
      call % 2500 == 2499 ? 1 << 20 : call % 50 == 0 ? 1 << 14 : 1 << (call % 8) + call % 11
    let buffer = UnsafeMutableBufferPointer(rebasing: memory[..<count])
    sums.fill(buffer)
    random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    if random >> 56 == 0 { usleep(UInt32(random >> 32 & 0x3ff)) }
    if call % 4 == 0 {
      sums.fill(small)
      let first = try group.startAllreduce(small, .sum, call % 8 == 0 ? .schedule(.tree) : nil)
      let second = try group.startAllreduce(buffer)
      // Ranks wait in different orders.
      for operation in world.rank % 2 == 0 ? [first, second] : [second, first] {
        try operation.wait()
      }
      try sums.expectSum(small, "call \(call), in flight")
    } else {
      try group.allreduce(buffer)
    }
    try sums.expectSum(buffer, "call \(call)")
  }
}

/// More ranks than cores: short and long calls in reasonable time.
func crowdedCase(_ world: Communicator, _ joining: Joining) throws {
  let group = try joining.group(world)
  let sums = Sums(world, count: 1 << 20)
  let memory = try group.allocate(Float.self, count: 1 << 20)
  for call in 0..<1020 {
    let buffer = UnsafeMutableBufferPointer(rebasing: memory[..<(call < 1000 ? 1024 : 1 << 20)])
    sums.fill(buffer)
    try group.allreduce(buffer)
    try sums.expectSum(buffer, "call \(call)")
  }
}

/// After the first calls of a size, memory in use does not grow. The smallest block of the C
/// library takes 32 bytes: one that every call left behind would be 320 KB here.
func memoryCase(_ world: Communicator, _ joining: Joining) throws {
  let group = try joining.group(world)
  let memory = try group.allocate(Float.self, count: 5000)
  let halves = try group.allocate(Float16.self, count: 700)
  func run(calls: Int) throws {
    for call in 0..<calls {
      let count = call % 100 == 0 ? 5000 : 1 + call % 3 * 300
      try group.allreduce(UnsafeMutableBufferPointer(rebasing: memory[..<count]), .maximum)
      if call % 10 == 0 {
        let first = try group.startAllreduce(halves, .maximum, .schedule(.halvingDoubling))
        try group.broadcast(UnsafeMutableBufferPointer(rebasing: memory[..<64]))
        try first.wait()
      }
    }
  }

  /// Memory that no file backs, counted page by page (proc(5), smaps_rollup). Other pages the
  /// kernel takes back and fetches as it likes, and statm's counts are off by dozens.
  func bytesInUse() throws -> Int {
    let text = try String(contentsOfFile: "/proc/self/smaps_rollup", encoding: .utf8)
    let lines = text.split(separator: "\n").map { $0.split(separator: " ") }
    return lines.reduce(0) { sum, words in
      guard ["Pss_Anon:", "Pss_Shmem:"].contains(words[0]), let kilobytes = Int(words[1]) else {
        return sum
      }
      return sum + kilobytes * 1024
    }
  }
  // The first look at it takes memory of its own.
  _ = try bytesInUse()
  try run(calls: 1000)
  let before = try bytesInUse()
  try run(calls: 10_000)
  let growth = try bytesInUse() - before
  try expect(growth < 10_000 * 32 / 2, "\(growth) bytes more")
}

/// Without room in /dev/shm: one warning, and messages.
func fallbackCase(_ world: Communicator) throws {
  let group = try ProcessGroup(world)
  try expect(!group.sharesMemory, "shared memory where there is no room")
  let sums = Sums(world, count: 100_003)
  let buffer = try group.allocate(Float.self, count: 100_003)
  for _ in 0..<10 {
    sums.fill(buffer)
    try group.allreduce(buffer)
    try sums.expectSum(buffer, "messages")
  }
}
