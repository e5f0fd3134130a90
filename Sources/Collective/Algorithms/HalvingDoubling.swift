/// Reduce-scatter by halving, then allgather by doubling: 2 log2 p rounds and 2(p-1)/p of the
/// buffer per rank for a power of two, the fewest bytes there are (R. Rabenseifner, ICCS 2004), in
/// neighbours-first order, so that the sum follows the canonical tree:
///
///     rank          0          1          2          3        (letters are quarters of the buffer)
///     start       abcd       abcd       abcd       abcd
///     round 0     ab 01      cd 01      ab 23      cd 23       with the neighbour: halves
///     round 1      a 0-3      c 0-3      b 0-3      d 0-3      at distance 2: quarters
///     rounds 2, 3: back again, what is received replaces
///
/// Other numbers of ranks take a circulant graph: the same bytes and ceil(log2 p) rounds each way.
struct HalvingDoubling: ScheduleGenerator {
  let size: Int
  let count: Int

  /// - Parameter size: a power of two.
  init(size: Int, count: Int) {
    precondition(size & (size - 1) == 0)
    self.size = size
    self.count = count
  }

  private var dimensions: Int { Hypercube(size: size).dimensions }

  var roundCount: Int { 2 * dimensions }

  func round(_ number: Int, of rank: Int) -> Round {
    let isDoubling = number >= dimensions
    let dimension = isDoubling ? roundCount - 1 - number : number
    let peer = rank ^ (1 << dimension)
    let own = part(of: rank, after: dimension + 1)
    let others = part(of: peer, after: dimension + 1)
    if isDoubling {
      return Round([Transfer(.send, .result, peer, own), Transfer(.receive, .result, peer, others)])
    }
    let payload: Transfer.Payload = dimension == 0 ? .input : .partial
    return Round([Transfer(.send, payload, peer, others), Transfer(.receive, payload, peer, own)])
  }

  /// What `rank` is left with after `steps` halvings: the lower half where its bit is 0.
  private func part(of rank: Int, after steps: Int) -> Range<Int> {
    (0..<steps).reduce(0..<count) { range, dimension in
      let middle = range.lowerBound + range.count / 2
      return rank >> dimension & 1 == 0
        ? range.lowerBound..<middle : middle..<range.upperBound
    }
  }

  /// In halving, all but the last part; in doubling, every part but the whole.
  func elementsSent(by rank: Int) -> Int {
    let parts = (0..<dimensions).map { part(of: rank, after: $0 + 1).count }
    return count - (parts.last ?? count) + parts.reduce(0, +)
  }
}
