/// Everybody exchanges the whole buffer with the neighbour in each dimension of a hypercube, nearest
/// first: ceil(log2 p) rounds for a power of two, the fewest there are, and as many times the bytes
/// (Thakur, Rabenseifner & Gropp, IJHPCA 2005, section 4.4). For few bytes.
///
///     round 0     0 <-> 1     2 <-> 3     4 <-> 5     6 <-> 7
///     round 1     0 <-----> 2     1 <-----> 3   ...
///     round 2     0 <-----------------> 4   ...
///
/// After round k every rank has the sum of its 2^(k+1) neighbours: the canonical tree. Other numbers of
/// ranks take two rounds more, in which a guest's input is added to its host's and the result returned.
struct RecursiveDoubling {
  let size: Int
  let count: Int

  func rounds(of rank: Int) -> [Round] {
    let cube = Hypercube(size: size)
    let all = 0..<count
    let exchanges = (0..<cube.dimensions).map { dimension -> Round in
      guard let node = cube.node(of: rank) else { return Round([]) }
      let peer = cube.rank(ofNode: cube.neighbour(of: node, in: dimension))
      let payload: Transfer.Payload = dimension == 0 && cube.guests == 0 ? .input : .partial
      return Round([Transfer(.send, payload, peer, all), Transfer(.receive, payload, peer, all)])
    }
    return cube.hosting(exchanges, rank: rank, count: count)
  }

  func elementsSent(by rank: Int) -> Int {
    let cube = Hypercube(size: size)
    if cube.node(of: rank) == nil { return count }
    return (cube.dimensions + (cube.guest(of: rank) == nil ? 0 : 1)) * count
  }

  var roundCount: Int {
    let cube = Hypercube(size: size)
    return cube.dimensions + (cube.guests == 0 ? 0 : 2)
  }
}

extension Hypercube {
  /// Puts a round before `rounds` in which guests lend their inputs, and one behind in which they get
  /// the results; nothing where there are no guests.
  fileprivate func hosting(_ rounds: [Round], rank: Int, count: Int) -> [Round] {
    guard guests > 0 else { return rounds }
    let all = 0..<count
    if let guest = guest(of: rank) {
      return [Round([Transfer(.receive, .input, guest, all)])] + rounds
        + [Round([Transfer(.send, .result, guest, all)])]
    }
    guard node(of: rank) == nil else { return [Round([])] + rounds + [Round([])] }
    return [Round([Transfer(.send, .input, rank - 1, all)])] + rounds
      + [Round([Transfer(.receive, .result, rank - 1, all)])]
  }
}
