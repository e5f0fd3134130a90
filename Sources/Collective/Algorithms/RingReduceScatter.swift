/// Partial sums travel around a ring: p - 1 rounds, (p-1)/p of the buffer sent by every rank, the
/// least there is (Patarasuk & Yuan, JPDC 2009).
///
///     round    rank 0        rank 1        rank 2         (p = 3; chunks a b c; letters are whole
///       0     send c ->     send a ->     send b ->        when all ranks' inputs are in)
///       1     send b ->     send c ->     send a ->
///             has A         has B         has C
///
/// Chunk i is added up in the order of ranks i+1, i+2, ..., i: another order for every chunk, and
/// for every number of ranks.
struct RingReduceScatter: ScheduleGenerator {
  let size: Int
  let count: Int

  private var chunks: Chunks { Chunks(count: count, parts: size) }

  var roundCount: Int { size - 1 }

  func round(_ number: Int, of rank: Int) -> Round {
    let ring = Ring(size: size)
    let payload: Transfer.Payload = number == 0 ? .input : .partial
    return Round([
      Transfer(.send, payload, ring.next(after: rank), chunks[rank - number - 1]),
      Transfer(.receive, payload, ring.previous(before: rank), chunks[rank - number - 2]),
    ])
  }

  /// All chunks but its own.
  func elementsSent(by rank: Int) -> Int { count - chunks[rank].count }
}
