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
  let shared = try group.allocate(type, count: counts.last!)
  let other = UnsafeMutableBufferPointer<Element>.allocate(capacity: counts.last!)
  defer { other.deallocate() }
  _ = other.initialize(from: shared)
  for count in counts {
    for method in AllreduceMethod.allCases {
      // Where a buffer lies makes no difference to messages.
      for buffer in method == .hierarchical ? [shared, other] : [shared] {
        let part = UnsafeMutableBufferPointer(rebasing: buffer[..<count])
        func run(calls: Int) throws {
          for _ in 0..<calls { try group.allreduce(part, .maximum, method) }
        }
        let calls = count < 1000 ? 1000 : 30
        try run(calls: calls)
        let before = CAllocations_count()
        try run(calls: calls)
        let taken = CAllocations_count() - before
        // Open MPI's own lists may still grow; what a call takes, it takes every time.
        try expect(
          taken < calls / 2,
          "\(calls) calls took \(taken) blocks: \(type), \(count) elements, \(method.rawValue), "
            + "in \(buffer.baseAddress == shared.baseAddress ? "shared" : "other") memory")
      }
    }
  }
}
