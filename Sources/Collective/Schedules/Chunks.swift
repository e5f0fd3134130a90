/// A buffer cut into one chunk per rank, as equal as whole elements allow.
struct Chunks {
  let count: Int
  let parts: Int

  /// The elements of chunk `index`, counted modulo `parts`.
  subscript(index: Int) -> Range<Int> {
    let remainder = index % parts
    let i = remainder < 0 ? remainder + parts : remainder
    return i * count / parts..<(i + 1) * count / parts
  }

  /// The chunk that `element` belongs to.
  func index(of element: Int) -> Int { ((element + 1) * parts - 1) / count }

  /// The elements of at most `parts` chunks in a row, counted modulo `parts`: a range, and a second
  /// one where the row wraps around.
  subscript(run: Range<Int>) -> (Range<Int>, Range<Int>) {
    let first = run.lowerBound % parts
    let end = first + run.count
    let start = first * count / parts
    return end <= parts
      ? (start..<end * count / parts, 0..<0)
      : (start..<count, 0..<(end - parts) * count / parts)
  }

  /// The number of elements of the same chunks.
  func elements(in run: Range<Int>) -> Int {
    let (range, wrapped) = self[run]
    return range.count + wrapped.count
  }
}

extension Round {
  /// Adds the movement of a row of chunks: one transfer, or two where it wraps around.
  mutating func append(
    _ direction: Transfer.Direction, _ payload: Transfer.Payload, _ peer: Int,
    _ ranges: (Range<Int>, Range<Int>)
  ) {
    if !ranges.0.isEmpty { transfers.append(Transfer(direction, payload, peer, ranges.0)) }
    if !ranges.1.isEmpty { transfers.append(Transfer(direction, payload, peer, ranges.1)) }
  }
}
