/// Runs that wait for the next call of their kind.
///
/// Those of a kind are held by a class: a dictionary's arrays cannot be changed in place without
/// taking memory from the heap.
struct IdleRuns<Kind: Hashable, Run> {
  private final class Pool {
    var runs: [Run] = []
  }

  private var pools: [Kind: Pool] = [:]

  /// A run of this kind, if there is one.
  func take(_ kind: Kind) -> Run? { pools[kind]?.runs.popLast() }

  mutating func put(_ run: Run, _ kind: Kind) {
    let pool: Pool
    if let known = pools[kind] {
      pool = known
    } else {
      pool = Pool()
      pools[kind] = pool
    }
    pool.runs.append(run)
  }
}
