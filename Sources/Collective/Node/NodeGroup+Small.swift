// An allreduce of few bytes, from beginning to end: nothing is kept of it, and nothing looked up
// for it, since it takes no longer than a few cache misses.

extension NodeGroup {
  /// Bytes up to which it is cheaper that every rank reads everything than that all wait a second
  /// time.
  var smallSize: Int { NodeBoard.messageSize / max(size / 2, 1) }

  /// Every rank leaves its input on its board and reduces everybody's for itself.
  /// - Precondition: no call is under way; at most `smallSize` bytes, all planes together.
  /// - Parameters:
  ///   - planeStride: bytes from one plane of the source to the next.
  ///   - pause: between two looks at what others have to do first; throws when it takes too long.
  func allreduceSmall(
    _ source: UnsafeRawBufferPointer, planeStride: Int, into target: UnsafeMutableRawBufferPointer,
    _ reducer: Reducer, _ terms: NodeTerms, call: UInt64,
    pause: (_ number: Int) throws -> Void
  ) throws {
    let number = takeNumber()
    while !haveAll(.completed, reached: number + 1 - NodeBoard.depth) { try pause(number) }
    if let base = source.baseAddress {
      leave(base, byteCount: source.count, planeStride: planeStride, terms, number: number)
    }
    board.announce(.init(call: call), number: number, rank: rank)
    for peer in 0..<size {
      var announcement = board.announcement(number, of: peer)
      while announcement == nil {
        try pause(number)
        announcement = board.announcement(number, of: peer)
      }
      if announcement!.call != call {
        throw CallMismatch(members[rank], call, members[peer], announcement!.call)
      }
    }
    if let base = target.baseAddress {
      reduceMessages(number, byteCount: target.count, reducer, terms, into: base)
    }
    board.setCount(.completed, of: rank, to: number + 1)
  }

  /// Puts an input on this rank's board: `byteCount` bytes of each plane.
  func leave(
    _ source: UnsafeRawPointer, byteCount: Int, planeStride: Int, _ terms: NodeTerms, number: Int
  ) {
    let message = board.message(number, of: rank, byteCount: terms.planes * byteCount)
    for plane in 0..<terms.ownPlanes {
      (message + plane * byteCount).copyMemory(
        from: source + plane * planeStride, byteCount: byteCount)
    }
  }

  /// Reduces the inputs on all boards.
  func reduceMessages(
    _ number: Int, byteCount: Int, _ reducer: Reducer, _ terms: NodeTerms,
    into target: UnsafeMutableRawPointer
  ) {
    for index in terms.terms.indices {
      let term = terms.terms[index]
      let message = board.message(number, of: term.rank, byteCount: terms.planes * byteCount)
      operands[index] = UnsafeRawPointer(message + term.plane * byteCount)
    }
    withUnsafePointer(to: target) { result in
      reducer.reduceAndFinish(
        Reducer.Operands(
          pointers: .init(rebasing: operands[..<terms.terms.count]), starts: terms.starts),
        count: byteCount / reducer.elementSize,
        into: UnsafeBufferPointer(start: result, count: 1))
    }
  }

  /// Ranks that have not announced call `number`.
  func absentees(_ number: Int) -> [Int] {
    (0..<size).filter { $0 != rank && board.announcement(number, of: $0) == nil }
      .map { members[$0] }
  }
}
