import Collective
import Foundation
import MPI

/// How the ranks of a case exchange data.
enum Joining: String, CaseIterable {
  case shared
  case messages
  /// The lower half of the ranks on one node, the others on another.
  case nodes

  func transport(_ world: Communicator) throws -> DividedTransport {
    let keys = (0..<world.size).map { self == .nodes ? 2 * $0 / world.size : 0 }
    return try DividedTransport(world, keys: keys, sendsSynchronously: true)
  }

  func group(_ world: Communicator, timeLimit: Double? = 60) throws -> ProcessGroup {
    try group(transport(world), timeLimit: timeLimit)
  }

  func group(_ transport: DividedTransport, timeLimit: Double?) throws -> ProcessGroup {
    var options = ProcessGroup.Options()
    options.usesSharedMemory = self != .messages
    options.timeLimit = timeLimit
    // Any order of summation: nodes of any size work together.
    options.isCanonical = false
    return try ProcessGroup(transport, options: options)
  }
}

/// The last rank passes another count than the others.
func mismatchCase(_ world: Communicator, _ joining: Joining) throws {
  let group = try joining.group(world)
  let buffer = try group.allocate(Float.self, count: 5)
  let count = world.rank == world.size - 1 ? 5 : 4
  try group.allreduce(UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
}

/// The last rank makes its calls in another order.
func orderCase(_ world: Communicator, _ joining: Joining) throws {
  let group = try joining.group(world)
  let buffer = try group.allocate(Float.self, count: 4)
  if world.rank == world.size - 1 { try group.broadcast(buffer) }
  try group.allreduce(buffer)
  if world.rank < world.size - 1 { try group.broadcast(buffer) }
}

/// The last rank does not come to the second call.
func missingCase(_ world: Communicator, _ joining: Joining) throws {
  let group = try joining.group(world, timeLimit: 0.9)
  let buffer = try group.allocate(Float.self, count: 4)
  try group.allreduce(buffer)
  if world.rank == world.size - 1 { sleep(30) }
  try group.allreduce(buffer)
}

/// The last rank does not come to the start of the group.
func absentCase(_ world: Communicator, _ joining: Joining) throws {
  let transport = try joining.transport(world)
  if world.rank == world.size - 1 { sleep(30) }
  _ = try joining.group(transport, timeLimit: 0.9)
}

/// The last rank comes late, but in time: others have begun to ask for it.
func lateCase(_ world: Communicator, _ joining: Joining) throws {
  let group = try joining.group(world, timeLimit: 1.8)
  let buffer = try group.allocate(Float.self, count: 1)
  buffer[0] = 1
  for _ in 0..<2 {
    if world.rank == world.size - 1 { usleep(800_000) }
    try group.allreduce(buffer)
  }
  try expect(buffer[0] == Float(world.size * world.size), "\(buffer[0])")
}
