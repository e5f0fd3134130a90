import Kernels

/// An allreduce of the ranks of a node through memory that they share, and through a schedule
/// across nodes where there are more.
///
/// Every rank owns a chunk: it reads all ranks' inputs of it and writes the result to all of them -
/// the traffic of one copy of the buffer, which is as little as there can be:
///
///     rank 0's buffer   | a0 b0 |        owner 0 reads a0 a1 and writes A A
///     rank 1's buffer   | a1 b1 |        owner 1 reads b0 b1 and writes B B
///
/// There are three ways, taken alike by all ranks:
/// - *small*: every rank copies its input to its board and reduces everybody's for itself: one
///   wait.
/// - *shared*: all buffers lie in shared memory, on one node: no copy.
/// - *piecewise*: otherwise. A buffer elsewhere goes through slots of shared memory, piece by piece:
///   what others own is copied in, and out again, one copy in all. Between nodes the owners of a
///   chunk run a schedule among themselves. Pieces follow each other as in a pipeline: while one is
///   on the network, the next is added up.
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
  private let board: NodeBoard

  // Of the call.
  private var count = 0
  private var type = ElementType.float32
  private var terms: NodeTerms
  private var source = UnsafeRawPointer(bitPattern: 64)!
  private var target = UnsafeMutableRawPointer(bitPattern: 64)!
  /// Bytes from one plane of the source to the next.
  private var planeStride = 0
  private var reducer: Reducer!
  private var call: UInt64 = 0
  /// Whether results are looked at for NaN and infinities.
  private var looksAtResults = false
  /// Whether results go past the caches: they are made in other memory than inputs, which does not
  /// fit there.
  private var streams = false
  /// Of a complete call's result.
  private(set) var finiteness = Finiteness.unknown
  private var isSmall = true
  /// Pieces of the buffer, and the elements of each but the last.
  private(set) var pieceCount = 0
  private var pieceLength = 1

  private var state = State.complete
  private(set) var number = 0
  private var firstPiece = 0

  // Where every rank's input is and its result shall be, if all of them are in shared memory.
  private var areSourcesShared = false
  private var areTargetsShared = false
  private let sources: UnsafeMutableBufferPointer<UnsafeMutableRawPointer>
  private let targets: UnsafeMutableBufferPointer<UnsafeMutableRawPointer>

  // Pieces that have passed each stage.
  private var filled = 0
  private var reduced = 0
  private var published = 0
  private var emptied = 0

  // Of the range that is being reduced.
  private let operands: UnsafeMutableBufferPointer<UnsafeRawPointer>
  private let results: UnsafeMutableBufferPointer<UnsafeMutableRawPointer>

  /// - Parameter across: how to go on between nodes; nil on one node.
  init(on node: NodeGroup, across: CrossNode?) {
    self.node = node
    self.across = across
    board = node.board
    terms = node.ranks
    sources = .allocate(capacity: node.size)
    targets = .allocate(capacity: node.size)
    operands = .allocate(capacity: node.operands.count)
    results = .allocate(capacity: node.size)
  }

  deinit {
    sources.deallocate()
    targets.deallocate()
    operands.deallocate()
    results.deallocate()
  }

  var isComplete: Bool {
    if case .complete = state { true } else { false }
  }

  /// Differs whenever a piece has passed a stage.
  var progressMark: Int { filled + reduced + published + emptied + (isComplete ? 1 : 0) }

  /// Sets up a call; the group then begins or starts it.
  /// - Parameters:
  ///   - target: may be `source`.
  ///   - planeStride: bytes from one plane of the source to the next, alike on all ranks; nil where
  ///     there is one plane.
  ///   - call: what all ranks must call alike.
  ///   - looksAtResults: whether to find out if they are finite; of Float only.
  func prepare(
    _ source: UnsafeRawBufferPointer, planeStride: Int?,
    into target: UnsafeMutableRawBufferPointer, _ reducer: Reducer, call: UInt64,
    looksAtResults: Bool = false
  ) {
    precondition(!looksAtResults || reducer.type == .float32)
    precondition(isComplete, "a call of this group has failed: it is of no further use")
    terms = node.terms(hasPlanes: planeStride != nil)
    self.planeStride = planeStride ?? 0
    if let input = source.baseAddress, let output = target.baseAddress {
      self.source = input
      self.target = output
    }
    self.reducer = reducer
    self.call = call
    self.looksAtResults = looksAtResults
    type = reducer.type
    count = target.count / type.byteCount
    isSmall = across == nil && terms.planes * target.count <= node.smallSize
    streams =
      !looksAtResults && UnsafeRawPointer(self.target) != self.source
      && (terms.ownPlanes + 1) * target.count > node.cacheShare
    pieceCount = 0
    guard !isSmall else { return }
    pieceLength =
      NodeBoard.slotSize / type.accumulator.byteCount / max(terms.planes, terms.sumPlanes)
    pieceCount = (count + pieceLength - 1) / pieceLength
  }

  /// Sets up an allreduce of nothing, by which ranks compare their calls.
  func prepareArrival(call: UInt64) {
    precondition(isComplete)
    self.call = call
    (count, isSmall, pieceCount, looksAtResults) = (0, true, 0, false)
  }

  func begin(number: Int, firstPiece: Int) {
    self.number = number
    self.firstPiece = firstPiece
    (filled, reduced, published, emptied) = (0, 0, 0, 0)
    state = .queued
  }

  /// Bytes of the buffer.
  private var byteCount: Int { count * type.byteCount }

  /// Tells the others that this rank has arrived, unless that would overwrite what one of them
  /// still reads.
  func announceIfPossible() {
    guard case .queued = state,
      node.haveAll(.completed, reached: number + 1 - NodeBoard.depth)
    else { return }
    var announcement = NodeBoard.Announcement(call: call)
    if isSmall {
      node.leave(
        source, byteCount: byteCount, planeStride: planeStride, terms, number: number)
    } else {
      announcement.source = node.location(
        of: source, byteCount: (terms.ownPlanes - 1) * planeStride + byteCount)
      announcement.target = node.location(of: target, byteCount: byteCount)
      board.setFiniteness(looksAtResults ? .finite : .unknown, number, of: node.rank)
    }
    board.announce(announcement, number: number, rank: node.rank)
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
    // The others' boards are theirs again once this call is completed.
    finiteness = finitenessOfResult()
    board.setCount(.completed, of: node.rank, to: number + 1)
    state = .complete
    return true
  }

  private var way: Way {
    isSmall ? .small : areSourcesShared && areTargetsShared && across == nil ? .shared : .piecewise
  }

  private func haveAllArrived() throws -> Bool {
    areSourcesShared = true
    areTargetsShared = true
    for rank in 0..<node.size {
      guard let announcement = board.announcement(number, of: rank) else { return false }
      if announcement.call != call {
        throw CallMismatch(
          node.members[node.rank], call, node.members[rank], announcement.call)
      }
      if announcement.source.isShared {
        sources[rank] = node.address(of: announcement.source, rank: rank)
      } else {
        areSourcesShared = false
      }
      if announcement.target.isShared {
        targets[rank] = node.address(of: announcement.target, rank: rank)
      } else {
        areTargetsShared = false
      }
    }
    return true
  }

  private func finitenessOfResult() -> Finiteness {
    guard looksAtResults else { return .unknown }
    if isSmall { return reducer.isFinite(target, count: count) ? .finite : .notFinite }
    var finiteness = Finiteness.finite
    for rank in 0..<node.size { finiteness = finiteness.and(board.finiteness(number, of: rank)) }
    return finiteness
  }

  /// Looks at results of the own chunk that are about to be published, and still in a cache.
  private func look(at result: UnsafeRawPointer, count: Int) {
    guard looksAtResults, !reducer.isFinite(result, count: count) else { return }
    board.setFiniteness(.notFinite, number, of: node.rank)
  }

  // MARK: Small

  private func reduceSmall() -> Bool {
    if count > 0 {
      node.reduceMessages(
        number, source, byteCount: byteCount, planeStride: planeStride, reducer, terms, into: target
      )
    }
    return true
  }

  // MARK: Shared

  /// One piece of this rank's chunk a call, so that a caller with work of its own is not kept for
  /// long.
  private func reduceShared() -> Bool {
    let chunk = chunk(of: 0..<count, owner: node.rank, owners: node.size)
    if reduced * pieceLength < chunk.count {
      let start = chunk.lowerBound + reduced * pieceLength
      let range = start..<min(start + pieceLength, chunk.upperBound)
      let results = results(range, piece: 0)
      reducer.reduceAndFinish(
        operands(range, piece: 0), count: range.count, into: results, pastCaches: streams)
      look(at: results[0], count: range.count)
      reduced += 1
      if reduced * pieceLength < chunk.count { return false }
    }
    if published == 0 {
      // Nobody need wait for this rank's pieces.
      board.setCount(.filled, of: node.rank, to: firstPiece + pieceCount)
      board.setCount(.emptied, of: node.rank, to: firstPiece + pieceCount)
      board.setCount(.reduced, of: node.rank, to: firstPiece + pieceCount)
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

  /// As many owners as there are chunks that can travel side by side, and no more than it pays to
  /// have.
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
    guard filled < pieceCount, filled < emptied + NodeBoard.slots,
      // The slot's inputs must have been read by their owners, and its results taken by the others.
      node.haveAll(.emptied, reached: firstPiece + filled + 1 - NodeBoard.slots)
    else { return false }
    if !areSourcesShared {
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
      areSourcesShared || node.haveAll(.filled, reached: firstPiece + reduced + 1)
    else { return false }
    let own = ownChunk(of: piece(reduced))
    if !own.isEmpty {
      let operands = operands(own, piece: reduced)
      if let across {
        let stride = pieceLength * type.accumulator.byteCount
        for (plane, sum) in terms.sums.enumerated() {
          reducer.reduce(
            operands[sum], count: own.count, into: across.place(reduced) + plane * stride)
        }
        try across.start(
          reduced, count: own.count, ofShare: count / across.lanes,
          planeStride: terms.addsPlanesAcross ? stride : nil, reducer: reducer,
          into: target + own.lowerBound * type.byteCount)
      } else {
        let results = results(own, piece: reduced)
        reducer.reduceAndFinish(operands, count: own.count, into: results)
        look(at: results[0], count: own.count)
      }
    }
    reduced += 1
    return true
  }

  /// Brings the results of the own chunk to where the others find them.
  private func publishNext() throws -> Bool {
    guard published < reduced else { return false }
    let own = ownChunk(of: piece(published))
    if let across, !own.isEmpty {
      guard try across.progress(published) else { return false }
      let results = results(own, piece: published)
      look(at: results[0], count: own.count)
      for result in results.dropFirst() {
        result.copyMemory(from: results[0], byteCount: own.count * type.byteCount)
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
    if !areTargetsShared {
      let range = piece(emptied)
      let owners = owners(of: range)
      for owner in 0..<owners where owner != node.rank {
        let chunk = chunk(of: range, owner: owner, owners: owners)
        let result = resultSlot(chunk, piece: emptied, of: owner)
        let place = target + chunk.lowerBound * type.byteCount
        if streams {
          reducer.stream(result, count: chunk.count, into: place)
        } else {
          place.copyMemory(from: result, byteCount: chunk.count * type.byteCount)
        }
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

  /// Elements of a slot, plane by plane: where in it they are depends on where in their piece they
  /// are.
  private func slot(
    _ range: Range<Int>, piece: Int, of rank: Int, plane: Int = 0
  ) -> UnsafeMutableRawPointer {
    board.slot(firstPiece + piece, of: rank)
      + (plane * pieceLength + range.lowerBound - piece * pieceLength) * type.byteCount
  }

  /// Where the others find an owner's results: in the place of its neighbour's input, whose cache
  /// lines the owner has just read. A slot of its own would be as many lines again that go from
  /// core to core.
  private func resultSlot(
    _ range: Range<Int>, piece: Int, of owner: Int
  ) -> UnsafeMutableRawPointer {
    slot(range, piece: piece, of: (owner + 1) % node.size)
  }

  private func copyIn(_ range: Range<Int>, piece: Int) {
    guard !range.isEmpty else { return }
    for plane in 0..<terms.ownPlanes {
      slot(range, piece: piece, of: node.rank, plane: plane).copyMemory(
        from: source + plane * planeStride + range.lowerBound * type.byteCount,
        byteCount: range.count * type.byteCount)
    }
  }

  /// Every local rank's input.
  private func operands(_ range: Range<Int>, piece: Int) -> Reducer.Operands {
    let offset = range.lowerBound * type.byteCount
    for index in terms.terms.indices {
      let term = terms.terms[index]
      operands[index] =
        if areSourcesShared {
          UnsafeRawPointer(sources[term.rank] + term.plane * planeStride + offset)
        } else if term.rank == node.rank {
          source + term.plane * planeStride + offset
        } else {
          UnsafeRawPointer(slot(range, piece: piece, of: term.rank, plane: term.plane))
        }
    }
    return Reducer.Operands(
      pointers: .init(rebasing: operands[..<terms.terms.count]), starts: terms.starts)
  }

  /// Where results go: first of all to the own target, which is in reach, and then to the others'
  /// or to where they look for it.
  private func results(
    _ range: Range<Int>, piece: Int
  ) -> UnsafeBufferPointer<UnsafeMutableRawPointer> {
    let offset = range.lowerBound * type.byteCount
    results[0] = target + offset
    var count = 1
    if areTargetsShared {
      while count < node.size {
        results[count] = targets[(node.rank + count) % node.size] + offset
        count += 1
      }
    } else if node.size > 1 {
      results[1] = resultSlot(range, piece: piece, of: node.rank)
      count = 2
    }
    return UnsafeBufferPointer(rebasing: results[..<count])
  }
}
