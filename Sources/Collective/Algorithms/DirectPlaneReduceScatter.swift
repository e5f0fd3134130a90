/// Everybody sends its planes of every chunk straight to the chunk's owner, who adds all of them
/// along the tree: one round, in which a rank sends (p-1)/p of each of its planes. See
/// `DirectReduceScatter`.
///
///                from rank 0   1     2
///     to rank 0                a a   a a       (8 leaves on 3 ranks; chunks a b c)
///             1          b     b     b b       (its own second plane is no message)
///             2          c     c c   c
struct DirectPlaneReduceScatter: ScheduleGenerator {
  let tree: SumTree
  let count: Int

  var size: Int { tree.ranks }
  private var chunks: Chunks { Chunks(count: count, parts: size) }

  var roundCount: Int { size > 1 ? 1 : 0 }

  func round(_ number: Int, of rank: Int) -> Round {
    let own = chunks[rank]
    var transfers: [Transfer] = []
    for peer in 0..<size {
      for plane in tree.subtrees[peer].indices where peer != rank || plane > 0 {
        transfers.append(Transfer(.receive, .input, peer, own, plane: plane))
      }
    }
    for peer in Array(rank + 1..<size) + Array(0..<rank) {
      for plane in tree.subtrees[rank].indices {
        transfers.append(Transfer(.send, .input, peer, chunks[peer], plane: plane))
      }
    }
    return Round(transfers)
  }

  /// All chunks but its own, of each of its planes.
  func elementsSent(by rank: Int) -> Int {
    tree.subtrees[rank].count * (count - chunks[rank].count)
  }
}
