/// Chunks travel around a ring: p - 1 rounds, (p-1)/p of the buffer sent by every rank, the least
/// there is (Patarasuk & Yuan, JPDC 2009). Nothing is added up.
///
///     round    rank 0        rank 1        rank 2         (p = 3)
///             has A         has B         has C
///       0     send A ->     send B ->     send C ->
///       1     send C ->     send A ->     send B ->
struct RingAllgather: ScheduleGenerator {
  let size: Int
  let count: Int

  private var chunks: Chunks { Chunks(count: count, parts: size) }

  var roundCount: Int { size - 1 }

  func round(_ number: Int, of rank: Int) -> Round {
    let ring = Ring(size: size)
    return Round([
      Transfer(.send, .result, ring.next(after: rank), chunks[rank - number]),
      Transfer(.receive, .result, ring.previous(before: rank), chunks[rank - number - 1]),
    ])
  }

  /// All chunks but the next rank's.
  func elementsSent(by rank: Int) -> Int { count - chunks[rank + 1].count }
}
