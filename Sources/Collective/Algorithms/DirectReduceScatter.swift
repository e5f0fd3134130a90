/// Everybody sends every chunk straight to its owner: one round of p - 1 messages, and (p-1)/p of
/// the buffer per rank (the pairwise exchange of Thakur, Rabenseifner & Gropp, IJHPCA 2005, section
/// 4.2, with all exchanges at once). For networks that carry many messages at a time, and for few
/// ranks.
///
///                from rank 0   1   2   3
///     to rank 0              a   a   a          (p = 4; chunks a b c d)
///             1          b       b   b
///             2          c   c       c
///             3          d   d   d
///
/// The owner has all inputs before it adds any, so it can add them along the canonical tree for any
/// p, and 16-bit elements travel as they are and are rounded once.
struct DirectReduceScatter: ScheduleGenerator {
  let size: Int
  let count: Int

  private var chunks: Chunks { Chunks(count: count, parts: size) }

  var roundCount: Int { size > 1 ? 1 : 0 }

  func round(_ number: Int, of rank: Int) -> Round {
    let own = chunks[rank]
    return Round.withAllPeers(
      of: rank, size: size,
      send: { Transfer(.send, .input, $0, chunks[$0]) },
      receive: { Transfer(.receive, .input, $0, own) })
  }

  /// All chunks but its own.
  func elementsSent(by rank: Int) -> Int { count - chunks[rank].count }
}

extension Round {
  /// Receives from all others in the order of ranks, and sends that begin with the next rank, so
  /// that not everybody sends to rank 0 first.
  static func withAllPeers(
    of rank: Int, size: Int, send: (Int) -> Transfer, receive: (Int) -> Transfer
  ) -> Round {
    let receives = (0..<rank).map(receive) + (rank + 1..<size).map(receive)
    let sends = (rank + 1..<size).map(send) + (0..<rank).map(send)
    return Round(receives + sends)
  }
}
