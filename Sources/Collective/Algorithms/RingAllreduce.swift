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
struct RingAllreduce: ScheduleGenerator {
  let size: Int
  let count: Int

  private var chunks: Chunks { Chunks(count: count, parts: size) }

  var roundCount: Int { 2 * (size - 1) }

  func round(_ number: Int, of rank: Int) -> Round {
    let ring = Ring(size: size)
    let payload: Transfer.Payload =
      number == 0 ? .input : number < size - 1 ? .partial : .result
    // The allgather goes on where the reduce-scatter ends: the chunk just completed is sent next.
    return Round([
      Transfer(.send, payload, ring.next(after: rank), chunks[rank - number]),
      Transfer(.receive, payload, ring.previous(before: rank), chunks[rank - number - 1]),
    ])
  }

  /// All chunks but one in each half.
  func elementsSent(by rank: Int) -> Int {
    2 * count - chunks[rank + 1].count - chunks[rank + 2].count
  }
}
