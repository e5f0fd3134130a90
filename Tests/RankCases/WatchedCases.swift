import Collective
import Foundation
import MPI
import Training

/// A group whose ranks have watchdogs; a first call is made.
private func watched(_ world: Communicator) throws -> ProcessGroup {
  let watchdog = Watchdog(limit: 2, isLaunched: true)
  watchdog.start()
  let ranks = try World(
    MPITransport(world), host: Session.processorName, carrier: "MPI", watchdog: watchdog)
  var options = ProcessGroup.Options()
  options.waitObserver = watchdog.pulse
  let group = try ProcessGroup(ranks.transport, options: options)
  try group.allreduce(group.allocate(Float.self, count: 4))
  return group
}

/// The last rank does something else in place of the second call.
func sleepingCase(_ world: Communicator) throws {
  let group = try watched(world)
  let buffer = try group.allocate(Float.self, count: 4)
  if world.rank == world.size - 1 { sleep(60) }
  try group.allreduce(buffer)
}

/// The last rank goes home in place of the second call: it waits for the others in `main`.
func leavingCase(_ world: Communicator) throws {
  let group = try watched(world)
  let buffer = try group.allocate(Float.self, count: 4)
  if world.rank < world.size - 1 { try group.allreduce(buffer) }
}

/// The last rank ends, with the exit code of success.
func silentExitCase(_ world: Communicator) throws {
  if world.rank == world.size - 1 { exit(0) }
  let group = try ProcessGroup(world)
  try group.allreduce(group.allocate(Float.self, count: 4))
}
