/// Reduce-scatter, then allgather, around a ring: every rank sends 2(p-1)/p of the buffer, the least
/// there is, in 2(p-1) rounds (Patarasuk & Yuan, JPDC 2009).
///
///     round    rank 0        rank 1        rank 2         (p = 3; chunks a b c; letters are whole
///       0     send a ->     send b ->     send c ->        when all ranks' inputs are in)
///       1     send c ->     send a ->     send b ->       reduce-scatter: receive and reduce
///             has B         has C         has A
///       2     send B ->     send C ->     send A ->       allgather: receive and replace
///       3     send A ->     send B ->     send C ->
///
/// Chunk i is added up in the order of ranks i, i+1, ..., i-1: another order for every chunk, and for
/// every number of ranks.
struct RingAllreduce {
  let size: Int
  let count: Int

  private var chunks: Chunks { Chunks(count: count, parts: size) }

  func rounds(of rank: Int) -> [Round] {
    let ring = Ring(size: size)
    let (next, previous) = (ring.next(after: rank), ring.previous(before: rank))
    let reduceScatter = (0..<size - 1).map { step in
      let payload: Transfer.Payload = step == 0 ? .input : .partial
      return Round([
        Transfer(.send, payload, next, chunks[rank - step]),
        Transfer(.receive, payload, previous, chunks[rank - step - 1]),
      ])
    }
    let allgather = (0..<size - 1).map { step in
      Round([
        Transfer(.send, .result, next, chunks[rank + 1 - step]),
        Transfer(.receive, .result, previous, chunks[rank - step]),
      ])
    }
    return reduceScatter + allgather
  }

  /// All chunks but one in each half.
  func elementsSent(by rank: Int) -> Int {
    2 * count - chunks[rank + 1].count - chunks[rank + 2].count
  }
}
