/// Every rank talks to two neighbours.
///
///     0 -> 1 -> 2 -> 3 -+
///     ^                 |
///     +-----------------+
struct Ring {
  let size: Int

  func next(after rank: Int) -> Int { rank + 1 < size ? rank + 1 : 0 }
  func previous(before rank: Int) -> Int { rank > 0 ? rank - 1 : size - 1 }
}
