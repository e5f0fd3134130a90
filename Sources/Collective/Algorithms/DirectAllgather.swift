/// Everybody sends its chunk to all others: one round of p - 1 messages, and (p-1)/p of the buffer
/// per rank on average (the pairwise exchange of Thakur, Rabenseifner & Gropp, IJHPCA 2005, section
/// 4.2, with all exchanges at once). Nothing is added up.
///
///                from rank 0   1   2   3
///     to rank 0              B   C   D          (p = 4)
///             1          A       C   D
///             2          A   B       D
///             3          A   B   C
struct DirectAllgather: ScheduleGenerator {
  let size: Int
  let count: Int

  private var chunks: Chunks { Chunks(count: count, parts: size) }

  var roundCount: Int { size > 1 ? 1 : 0 }

  func round(_ number: Int, of rank: Int) -> Round {
    let own = chunks[rank]
    return Round.withAllPeers(
      of: rank, size: size,
      send: { Transfer(.send, .result, $0, own) },
      receive: { Transfer(.receive, .result, $0, chunks[$0]) })
  }

  /// Its own chunk, p - 1 times.
  func elementsSent(by rank: Int) -> Int { (size - 1) * chunks[rank].count }
}
