/// Every rank talks to two neighbours.
///
///     0 -> 1 -> 2 -> 3 -+
///     ^                 |
///     +-----------------+
struct Ring {
  let size: Int

  func next(after rank: Int) -> Int { (rank + 1) % size }
  func previous(before rank: Int) -> Int { (rank + size - 1) % size }
}
