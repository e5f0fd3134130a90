import CAllocations
import Collective
import MPI

/// After the first calls of a size, calls take nothing from the heap, in whichever way they run.
func allocationsCase(_ world: Communicator, _ joining: Joining) throws {
  guard CAllocations_areCounted() else { return }
  let group = try joining.group(world)
  try expectNone(Float.self, group)
  // 16-bit elements are widened.
  try expectNone(Float16.self, group)
}

private func expectNone<Element: Reducible>(
  _ type: Element.Type, _ group: ProcessGroup
) throws {
  // A message on the board, a piece, and more pieces than are under way at once.
  let counts = [0, 100, 20_000, 300_007]
  let most = counts.last!
  let inFlight = 3
  let shared = try group.allocate(type, count: inFlight * most)
  let other = UnsafeMutableBufferPointer<Element>.allocate(capacity: inFlight * most)
  defer { other.deallocate() }
  _ = other.initialize(from: shared)
  for count in counts {
    for method in AllreduceMethod.allCases {
      // Where a buffer lies makes no difference to messages.
      for buffer in method == .hierarchical ? [shared, other] : [shared] {
        let parts = (0..<inFlight).map {
          UnsafeMutableBufferPointer(rebasing: buffer[$0 * most..<$0 * most + count])
        }
        let ways: [(name: String, run: () throws -> Void)] = [
          ("in place", { try group.allreduce(parts[0], .maximum, method) }),
          (
            "out of place",
            { try group.allreduce(UnsafeBufferPointer(parts[0]), into: parts[1], .maximum, method) }
          ),
          (
            "in flight",
            {
              let first = try group.startAllreduce(parts[0], .maximum, method)
              let second = try group.startAllreduce(parts[1], .maximum, method)
              let third = try group.startAllreduce(parts[2], .maximum, method)
              _ = try first.progress()
              try third.wait()
              try second.wait()
              try first.wait()
            }
          ),
        ]
        for way in ways {
          let calls = count < 1000 ? 300 : 30
          for _ in 0..<calls { try way.run() }
          let before = CAllocations_count()
          for _ in 0..<calls { try way.run() }
          let taken = CAllocations_count() - before
          // Open MPI's own lists may still grow; what a call takes, it takes every time.
          try expect(
            taken <= calls / 10,
            "\(calls) calls took \(taken) blocks: \(type), \(count) elements, "
              + "\(method.rawValue), \(way.name), "
              + "in \(buffer.baseAddress == shared.baseAddress ? "shared" : "other") memory")
        }
      }
    }
  }
}
