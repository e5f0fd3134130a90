/// Everybody exchanges the whole buffer with the neighbour in each dimension of a hypercube,
/// nearest first: ceil(log2 p) rounds for a power of two, the fewest there are, and as many times
/// the bytes (Thakur, Rabenseifner & Gropp, IJHPCA 2005, section 4.4). For few bytes.
///
///     round 0     0 <-> 1     2 <-> 3     4 <-> 5     6 <-> 7
///     round 1     0 <-----> 2     1 <-----> 3   ...
///     round 2     0 <-----------------> 4   ...
///
/// After round k every rank has the sum of its 2^(k+1) neighbours: the canonical tree. Other
/// numbers of ranks take two rounds more, in which a guest's input is added to its host's and the
/// result returned.
struct RecursiveDoubling: ScheduleGenerator {
  let size: Int
  let count: Int

  var roundCount: Int {
    let cube = Hypercube(size: size)
    return cube.dimensions + (cube.guests == 0 ? 0 : 2)
  }

  func round(_ number: Int, of rank: Int) -> Round {
    let cube = Hypercube(size: size)
    let all = 0..<count
    // Guests lend their inputs in a round before the first dimension and get results after the
    // last.
    let dimension = cube.guests == 0 ? number : number - 1
    guard let node = cube.node(of: rank) else {
      switch dimension {
      case -1: return Round([Transfer(.send, .input, rank - 1, all)])
      case cube.dimensions: return Round([Transfer(.receive, .result, rank - 1, all)])
      default: return Round([])
      }
    }
    if (0..<cube.dimensions).contains(dimension) {
      let peer = cube.rank(ofNode: cube.neighbour(of: node, in: dimension))
      let payload: Transfer.Payload = dimension == 0 && cube.guests == 0 ? .input : .partial
      return Round([Transfer(.send, payload, peer, all), Transfer(.receive, payload, peer, all)])
    }
    guard let guest = cube.guest(of: rank) else { return Round([]) }
    return dimension < 0
      ? Round([Transfer(.receive, .input, guest, all)])
      : Round([Transfer(.send, .result, guest, all)])
  }

  func elementsSent(by rank: Int) -> Int {
    let cube = Hypercube(size: size)
    if cube.node(of: rank) == nil { return count }
    return (cube.dimensions + (cube.guest(of: rank) == nil ? 0 : 1)) * count
  }
}
