// The steps of an allreduce of few bytes: every rank leaves its input on its board and reduces
// everybody's for itself.

extension NodeGroup {
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

  /// Reduces this rank's input and those on the others' boards.
  func reduceMessages(
    _ number: Int, _ source: UnsafeRawPointer, byteCount: Int, planeStride: Int,
    _ reducer: Reducer, _ terms: NodeTerms, into target: UnsafeMutableRawPointer
  ) {
    for index in terms.terms.indices {
      let term = terms.terms[index]
      // What this rank has just put on its own board may not be in its cache before the others have
      // given up the line, which takes as long as their answer.
      if term.rank == rank {
        operands[index] = source + term.plane * planeStride
      } else {
        let message = board.message(number, of: term.rank, byteCount: terms.planes * byteCount)
        operands[index] = UnsafeRawPointer(message + term.plane * byteCount)
      }
    }
    withUnsafePointer(to: target) { result in
      reducer.reduceAndFinish(
        Reducer.Operands(
          pointers: .init(rebasing: operands[..<terms.terms.count]), starts: terms.starts),
        count: byteCount / reducer.elementSize,
        into: UnsafeBufferPointer(start: result, count: 1))
    }
  }
}
