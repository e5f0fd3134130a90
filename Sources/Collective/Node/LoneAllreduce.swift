/// An allreduce on one node with no other call under way, from beginning to end.
///
/// It goes by no queue. One of few bytes takes no longer than a few cache misses: no reference is
/// counted on its way - that is an atomic instruction, which waits for what this rank has just
/// written to reach the others - and nothing is kept of it.
final class LoneAllreduce {
  private let node: NodeGroup
  private let large: NodeAllreduce

  init(on node: NodeGroup) {
    self.node = node
    large = NodeAllreduce(on: node, across: nil)
  }

  /// - Precondition: no other call of the node is under way.
  /// - Parameters:
  ///   - planeStride: bytes from one plane of the source to the next; nil where there is one plane.
  ///   - call: what all ranks must call alike.
  ///   - pause: between two looks at what others have to do first: is told the call's number, and
  ///     what differs whenever the call has moved; throws when it takes too long.
  @inline(__always)
  func run(
    _ source: UnsafeRawBufferPointer, planeStride: Int?, into target: UnsafeMutableRawBufferPointer,
    _ reducer: Reducer, call: UInt64, pause: (_ number: Int, _ progressMark: Int) throws -> Void
  ) throws {
    let terms = node.terms(hasPlanes: planeStride != nil)
    if terms.planes * target.count <= node.smallSize {
      try reduceSmall(
        source, planeStride: planeStride ?? 0, into: target, reducer, terms, call: call,
        pause: pause)
    } else {
      large.prepare(source, planeStride: planeStride, into: target, reducer, call: call)
      node.begin(large)
      while try !large.advance() { try pause(large.number, large.progressMark) }
    }
  }

  @inline(__always)
  private func reduceSmall(
    _ source: UnsafeRawBufferPointer, planeStride: Int, into target: UnsafeMutableRawBufferPointer,
    _ reducer: Reducer, _ terms: NodeTerms, call: UInt64,
    pause: (_ number: Int, _ progressMark: Int) throws -> Void
  ) throws {
    let board = node.board
    let number = node.takeNumber()
    while !node.haveAll(.completed, reached: number + 1 - NodeBoard.depth) { try pause(number, 0) }
    if let base = source.baseAddress {
      node.leave(
        base, byteCount: source.count, planeStride: planeStride, terms, number: number)
    }
    board.announce(.init(call: call), number: number, rank: node.rank)
    for peer in 0..<node.size {
      var announcement = board.announcement(number, of: peer)
      while announcement == nil {
        try pause(number, 0)
        announcement = board.announcement(number, of: peer)
      }
      if announcement!.call != call {
        throw CallMismatch(node.members[node.rank], call, node.members[peer], announcement!.call)
      }
    }
    if let input = source.baseAddress, let output = target.baseAddress {
      node.reduceMessages(
        number, input, byteCount: target.count, planeStride: planeStride, reducer, terms,
        into: output)
    }
    board.setCount(.completed, of: node.rank, to: number + 1)
  }
}
