import Kernels

/// An allreduce of the ranks of a node through memory that they share, and through a schedule across nodes
/// where there are more.
///
/// Every rank owns a chunk: it reads all ranks' inputs of it and writes the result to all of them - the
/// traffic of one copy of the buffer, which is as little as there can be:
///
///     rank 0's buffer   | a0 b0 |        owner 0 reads a0 a1 and writes A A
///     rank 1's buffer   | a1 b1 |        owner 1 reads b0 b1 and writes B B
///
/// There are three ways, taken alike by all ranks:
/// - *small*: every rank copies its input to its board and reduces everybody's for itself: one wait.
/// - *shared*: all buffers lie in shared memory, on one node: no copy.
/// - *piecewise*: otherwise. A buffer elsewhere goes through slots of shared memory, piece by piece - what
///   others own is copied in, and out again: one copy in all -, and between nodes the owners of a chunk
///   run a schedule among themselves. Pieces follow each other as in a pipeline: while one is on the
///   network, the next is added up.
final class NodeAllreduce {
  private enum Way {
    case small
    case shared
    case piecewise
  }

  private enum State {
    case queued
    case announced
    case working(Way)
    case complete
  }

  private let node: NodeGroup
  private let across: CrossNode?
  let count: Int
  let type: ElementType
  private let board: NodeBoard
  private let isSmall: Bool
  /// Pieces of the buffer, and the elements of each but the last.
  let pieceCount: Int
  private let pieceLength: Int

  private var state = State.complete
  private var buffer = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  private var reducer: Reducer!
  private var call: UInt64 = 0
  private(set) var number = 0
  private var firstPiece = 0
  private var areShared = false

  private var filled = 0
  private var reduced = 0
  private var published = 0
  private var emptied = 0

  private let operands: UnsafeMutableBufferPointer<UnsafeRawPointer>
  private let targets: UnsafeMutableBufferPointer<UnsafeMutableRawPointer>
  private let bases: UnsafeMutableBufferPointer<UnsafeMutableRawPointer>

  /// - Parameter across: how to go on between nodes; nil on one node.
  init(node: NodeGroup, count: Int, type: ElementType, across: CrossNode?) {
    self.node = node
    self.across = across
    self.count = count
    self.type = type
    board = node.board
    isSmall =
      across == nil && count * type.byteCount <= node.smallSize
    pieceLength = NodeBoard.slotSize / type.accumulator.byteCount
    pieceCount = isSmall ? 0 : (count + pieceLength - 1) / pieceLength
    operands = .allocate(capacity: node.size)
    targets = .allocate(capacity: node.size)
    bases = .allocate(capacity: node.size)
  }

  deinit {
    operands.deallocate()
    targets.deallocate()
    bases.deallocate()
  }

  var isComplete: Bool {
    if case .complete = state { true } else { false }
  }

  /// Sets up a call; `NodeGroup.start` then begins it.
  /// - Parameter call: what all ranks must call alike.
  func prepare(_ buffer: UnsafeMutableRawBufferPointer, reducer: Reducer, call: UInt64) {
    precondition(isComplete)
    self.buffer = buffer
    self.reducer = reducer
    self.call = call
  }

  func begin(number: Int, firstPiece: Int) {
    self.number = number
    self.firstPiece = firstPiece
    (filled, reduced, published, emptied) = (0, 0, 0, 0)
    state = .queued
  }

  /// Tells the others that this rank has arrived, unless that would overwrite what one of them still reads.
  func announceIfPossible() {
    guard case .queued = state,
      node.haveAll(.completed, reached: number + 1 - NodeBoard.depth)
    else { return }
    var location = SharedLocation.elsewhere
    if isSmall {
      if let base = buffer.baseAddress {
        board.message(number, of: node.rank, byteCount: buffer.count)
          .copyMemory(from: base, byteCount: buffer.count)
      }
    } else {
      location = node.location(of: UnsafeRawBufferPointer(buffer))
    }
    board.announce(
      NodeBoard.Announcement(call: call, location: location), number: number, rank: node.rank)
    state = .announced
  }

  /// Goes on as far as possible without waiting; true when the result is in the buffer.
  func advance() throws -> Bool {
    announceIfPossible()
    if case .announced = state, try haveAllArrived() { state = .working(way) }
    guard case .working(let way) = state else { return isComplete }
    let isDone =
      switch way {
      case .small: reduceSmall()
      case .shared: reduceShared()
      case .piecewise: try reducePiecewise()
      }
    guard isDone else { return false }
    board.setCount(.completed, of: node.rank, to: number + 1)
    state = .complete
    return true
  }

  private var way: Way { isSmall ? .small : areShared && across == nil ? .shared : .piecewise }

  private func haveAllArrived() throws -> Bool {
    areShared = true
    for rank in 0..<node.size {
      guard let announcement = board.announcement(number, of: rank) else { return false }
      if announcement.call != call {
        throw CallMismatch(
          node.members[node.rank], call, node.members[rank], announcement.call)
      }
      if announcement.location.isShared {
        bases[rank] = node.address(of: announcement.location, rank: rank)
      } else {
        areShared = false
      }
    }
    return true
  }

  // MARK: Small

  private func reduceSmall() -> Bool {
    guard let base = buffer.baseAddress else { return true }
    for rank in 0..<node.size {
      operands[rank] = UnsafeRawPointer(
        board.message(number, of: rank, byteCount: buffer.count))
    }
    targets[0] = base
    reducer.reduceAndFinish(
      Reducer.Operands(pointers: operands), count: count, into: .init(rebasing: targets[..<1]))
    return true
  }

  // MARK: Shared

  /// One piece of this rank's chunk a call, so that a caller with work of its own is not kept for long.
  private func reduceShared() -> Bool {
    let chunk = chunk(of: 0..<count, owner: node.rank, owners: node.size)
    if reduced * pieceLength < chunk.count {
      let start = chunk.lowerBound + reduced * pieceLength
      reduce(start..<min(start + pieceLength, chunk.upperBound))
      reduced += 1
      if reduced * pieceLength < chunk.count { return false }
    }
    if published == 0 {
      for counter in [NodeBoard.Counter.filled, .emptied, .reduced] {
        board.setCount(counter, of: node.rank, to: firstPiece + pieceCount)
      }
      published = 1
    }
    return node.haveAll(.reduced, reached: firstPiece + pieceCount)
  }

  // MARK: Piecewise

  private func reducePiecewise() throws -> Bool {
    var hasMoved = true
    while hasMoved && emptied < pieceCount {
      hasMoved = fillNext()
      if try reduceNext() { hasMoved = true }
      if try publishNext() { hasMoved = true }
      if emptyNext() { hasMoved = true }
    }
    return emptied == pieceCount
  }

  private func piece(_ index: Int) -> Range<Int> {
    index * pieceLength..<min((index + 1) * pieceLength, count)
  }

  /// As many owners as there are chunks that can travel side by side, and no more than it pays to have.
  private func owners(of piece: Range<Int>) -> Int {
    let most = across?.lanes ?? node.size
    return max(1, min(most, piece.count * type.byteCount / NodeAllreduce.smallestChunk))
  }

  /// Bytes below which a chunk is not worth another owner.
  private static let smallestChunk = 1024

  private func ownChunk(of piece: Range<Int>) -> Range<Int> {
    let owners = owners(of: piece)
    return node.rank < owners
      ? chunk(of: piece, owner: node.rank, owners: owners) : piece.upperBound..<piece.upperBound
  }

  /// Copies to the slot what others own.
  private func fillNext() -> Bool {
    guard filled < pieceCount, filled < emptied + NodeBoard.slots else { return false }
    if !areShared {
      // The slot's inputs must have been read by their owners, and its results taken by the others.
      guard node.haveAll(.emptied, reached: firstPiece + filled + 1 - NodeBoard.slots) else {
        return false
      }
      let range = piece(filled)
      let own = ownChunk(of: range)
      copyIn(range.lowerBound..<min(own.lowerBound, range.upperBound), piece: filled)
      copyIn(max(own.upperBound, range.lowerBound)..<range.upperBound, piece: filled)
    }
    filled += 1
    board.setCount(.filled, of: node.rank, to: firstPiece + filled)
    return true
  }

  /// Adds up the node's inputs of the own chunk, and sets off what crosses to other nodes.
  private func reduceNext() throws -> Bool {
    guard reduced < filled,
      areShared || node.haveAll(.filled, reached: firstPiece + reduced + 1)
    else { return false }
    let own = ownChunk(of: piece(reduced))
    if !own.isEmpty {
      if let across {
        setOperands(own, piece: reduced)
        let partials = across.place(reduced)
        reducer.reduce(Reducer.Operands(pointers: operands), count: own.count, into: partials)
        try across.start(reduced, count: own.count, reducer: reducer)
      } else {
        setOperands(own, piece: reduced)
        let targets = setTargets(own, piece: reduced)
        reducer.reduceAndFinish(
          Reducer.Operands(pointers: operands), count: own.count, into: targets)
      }
    }
    reduced += 1
    return true
  }

  /// Writes the results of the own chunk to where the others find them.
  private func publishNext() throws -> Bool {
    guard published < reduced else { return false }
    let own = ownChunk(of: piece(published))
    if let across, !own.isEmpty {
      guard try across.progress(published) else { return false }
      let targets = setTargets(own, piece: published)
      reducer.finish(across.place(published), count: own.count, into: targets[0])
      for target in targets.dropFirst() {
        target.copyMemory(from: targets[0], byteCount: own.count * type.byteCount)
      }
    }
    published += 1
    board.setCount(.reduced, of: node.rank, to: firstPiece + published)
    return true
  }

  /// Takes the results of the others' chunks.
  private func emptyNext() -> Bool {
    guard emptied < published, node.haveAll(.reduced, reached: firstPiece + emptied + 1) else {
      return false
    }
    if !areShared {
      let range = piece(emptied)
      let owners = owners(of: range)
      for owner in 0..<owners where owner != node.rank {
        let chunk = chunk(of: range, owner: owner, owners: owners)
        (buffer.baseAddress! + chunk.lowerBound * type.byteCount).copyMemory(
          from: slot(chunk, piece: emptied, of: owner), byteCount: chunk.count * type.byteCount)
      }
    }
    emptied += 1
    board.setCount(.emptied, of: node.rank, to: firstPiece + emptied)
    return true
  }

  // MARK: Memory

  /// A chunk for each owner, cut at cache lines: nobody writes in a line that another one reads.
  private func chunk(of range: Range<Int>, owner: Int, owners: Int) -> Range<Int> {
    let line = 64 / type.byteCount
    let lines = Chunks(count: (range.count + line - 1) / line, parts: owners)[owner]
    return range.lowerBound + min(lines.lowerBound * line, range.count)..<range.lowerBound
      + min(lines.upperBound * line, range.count)
  }

  /// Elements of a slot: where in it they are depends on where in their piece they are.
  private func slot(
    _ range: Range<Int>, piece: Int, of rank: Int
  ) -> UnsafeMutableRawPointer {
    board.slot(firstPiece + piece, of: rank)
      + (range.lowerBound - piece * pieceLength) * type.byteCount
  }

  private func copyIn(_ range: Range<Int>, piece: Int) {
    guard !range.isEmpty else { return }
    slot(range, piece: piece, of: node.rank).copyMemory(
      from: buffer.baseAddress! + range.lowerBound * type.byteCount,
      byteCount: range.count * type.byteCount)
  }

  private func setOperands(_ range: Range<Int>, piece: Int) {
    let offset = range.lowerBound * type.byteCount
    for rank in 0..<node.size {
      operands[rank] = UnsafeRawPointer(
        areShared
          ? bases[rank] + offset
          : rank == node.rank ? buffer.baseAddress! + offset : slot(range, piece: piece, of: rank))
    }
  }

  /// The own buffer, and where the others look.
  private func setTargets(
    _ range: Range<Int>, piece: Int
  ) -> UnsafeBufferPointer<UnsafeMutableRawPointer> {
    let offset = range.lowerBound * type.byteCount
    targets[0] = buffer.baseAddress! + offset
    if areShared {
      for index in 1..<node.size {
        targets[index] = bases[(node.rank + index) % node.size] + offset
      }
    } else if node.size > 1 {
      targets[1] = slot(range, piece: piece, of: node.rank)
    }
    return UnsafeBufferPointer(rebasing: targets[..<(areShared ? node.size : min(node.size, 2))])
  }

  private func reduce(_ range: Range<Int>) {
    let offset = range.lowerBound * type.byteCount
    for rank in 0..<node.size {
      operands[rank] = UnsafeRawPointer(bases[rank] + offset)
      // Its own buffer first: that one is in reach.
      targets[rank] = bases[(node.rank + rank) % node.size] + offset
    }
    reducer.reduceAndFinish(
      Reducer.Operands(pointers: operands), count: range.count,
      into: UnsafeBufferPointer(targets))
  }
}
