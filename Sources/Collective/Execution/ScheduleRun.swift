import Kernels

/// One rank's part of a collective under way over a transport: starts a round's transfers segment
/// by segment, reduces each segment as soon as it has arrived from everybody, while later ones are
/// still travelling, and goes on to the next round.
///
/// Made once for a schedule and an element type; it allocates nothing when it runs.
final class ScheduleRun {
  /// Bytes of a segment, as accumulators: small enough for a transfer to overlap the reduction of
  /// the one before, large enough for a message's handshake not to count. (On 2 ranks of a machine
  /// 512 KiB took 1.2 to 1.4 times as long from 8 to 32 MB.)
  static let segmentSize = 2 * 1024 * 1024

  /// Elements of a segment.
  private let segmentLength: Int
  private let transport: any PointToPoint
  private let count: Int
  private let elementSize: Int
  private let accumulatorSize: Int

  /// What a reduction starts from.
  enum Input {
    /// Elements: in the result's buffer, or in another one, which is only read.
    case elements
    /// Partial results, which have a place of their own, and are overwritten.
    case partials
  }

  private let input: Input
  private var reducer: Reducer?
  /// Where the input is.
  private var source = UnsafeRawPointer(bitPattern: 64)!
  private var buffer = UnsafeMutableRawPointer(bitPattern: 64)!
  /// Bytes from one plane of the buffer to the next.
  private var planeStride = 0
  /// Partial results: the input if it consists of them; else the buffer itself, or floats beside it
  /// for 16-bit elements.
  private var partials = UnsafeMutableRawPointer(bitPattern: 64)!
  /// Where partial results are of which there is only the input so far.
  private var firstPartials = UnsafeRawPointer(bitPattern: 64)!
  private let wideMemory: UnsafeMutableRawPointer?
  private let staging: UnsafeMutableRawPointer
  private let operands: UnsafeMutableBufferPointer<UnsafeRawPointer>
  /// The first of `ExecutionPlan.lanes` tags.
  private var tag = 0

  private let rounds: UnsafeMutableBufferPointer<RoundRun>
  /// Finished when all rounds have run.
  private let lastFinishes: UnsafeMutableBufferPointer<Range<Int>>
  /// The round under way; `rounds.count` when all have completed.
  private var round: Int

  /// - Parameter tree: the one along which is added; nil for that over ranks. Its partial results are
  ///   elements.
  init(
    _ schedule: Schedule, goal: Goal, type: ElementType, input: Input = .elements,
    along tree: SumTree? = nil, transport: any PointToPoint, segmentSize: Int
  ) {
    precondition(tree == nil || type.accumulator == type)
    self.transport = transport
    self.input = input
    count = schedule.count
    elementSize = type.byteCount
    accumulatorSize = type.accumulator.byteCount
    segmentLength = segmentSize / accumulatorSize
    let plan = ExecutionPlan(schedule, goal: goal)
    lastFinishes = .allocate(copying: plan.lastFinishes)
    rounds = .allocate(capacity: plan.steps.count)
    for (index, step) in plan.steps.enumerated() {
      rounds.initializeElement(
        at: index,
        to: RoundRun(
          step, segment: segmentLength, accumulatorSize: accumulatorSize, tree: tree))
    }
    round = rounds.count
    staging = .allocate(
      byteCount: max(rounds.map(\.stagingSize).max() ?? 0, 1), alignment: AlignedBuffer.alignment)
    wideMemory =
      plan.isReducing && type.accumulator != type && input == .elements
      ? .allocate(byteCount: max(count * 4, 1), alignment: AlignedBuffer.alignment) : nil
    operands = .allocate(
      capacity: plan.steps.flatMap(\.reductions).map(\.operands.count).max() ?? 0)
  }

  deinit {
    for round in rounds { round.deallocate() }
    rounds.deallocate()
    lastFinishes.deallocate()
    staging.deallocate()
    wideMemory?.deallocate()
    operands.deallocate()
  }

  var isComplete: Bool { round == rounds.count }

  /// Differs whenever a segment has arrived or left.
  var progressMark: Int { round << 32 + (isComplete ? 0 : rounds[round].completed) }

  /// Starts the first round.
  /// - Parameters:
  ///   - source: the input, where it does not lie in `buffer` already.
  ///   - planeStride: bytes from one plane of the input to the next, if there are several; then it
  ///     lies in `buffer`.
  ///   - reducer: nil for collectives that reduce nothing.
  func start(
    from source: UnsafeRawPointer? = nil, _ buffer: UnsafeMutableRawPointer, planeStride: Int = 0,
    reducer: Reducer?, tag: Int
  ) throws {
    precondition(input == .elements && (source == nil || planeStride == 0))
    let source = source ?? UnsafeRawPointer(buffer)
    if let wideMemory { reducer!.widen(source, count: count, into: wideMemory) }
    try start(
      source, partials: wideMemory ?? buffer, first: wideMemory.map { .init($0) } ?? source, buffer,
      planeStride: planeStride, reducer: reducer, tag: tag)
  }

  /// Starts the first round, from partial results.
  /// - Parameters:
  ///   - partials: is overwritten.
  ///   - planeStride: bytes from one plane of them to the next, if there are several.
  func start(
    fromPartials partials: UnsafeMutableRawPointer, into buffer: UnsafeMutableRawPointer,
    planeStride: Int = 0, reducer: Reducer, tag: Int
  ) throws {
    precondition(input == .partials)
    let first = UnsafeRawPointer(partials)
    try start(
      first, partials: partials, first: first, buffer, planeStride: planeStride, reducer: reducer,
      tag: tag)
  }

  private func start(
    _ source: UnsafeRawPointer, partials: UnsafeMutableRawPointer,
    first firstPartials: UnsafeRawPointer, _ buffer: UnsafeMutableRawPointer, planeStride: Int,
    reducer: Reducer?, tag: Int
  ) throws {
    precondition(isComplete)
    (self.source, self.partials, self.firstPartials) = (source, partials, firstPartials)
    (self.buffer, self.planeStride) = (buffer, planeStride)
    self.reducer = reducer
    self.tag = tag
    round = 0
    try beginRound()
  }

  /// Starts what can be started and finishes what has arrived, without blocking; true at the end.
  func progress() throws -> Bool {
    while !isComplete {
      guard try advance(rounds[round]) else { return false }
      round += 1
      try beginRound()
    }
    return true
  }

  private func beginRound() throws {
    guard !isComplete else {
      for range in lastFinishes { finish(range) }
      return
    }
    for range in rounds[round].copies { copyInput(range) }
    for range in rounds[round].finishes { finish(range) }
    rounds[round].reset()
    _ = try advance(rounds[round])
  }

  private func copyInput(_ range: Range<Int>) {
    // Partial results elsewhere are there already.
    guard source != UnsafeRawPointer(buffer), partials == buffer else { return }
    let offset = range.lowerBound * elementSize
    (buffer + offset).copyMemory(from: source + offset, byteCount: range.count * elementSize)
  }

  private func finish(_ range: Range<Int>) {
    reducer!.finish(
      partials + range.lowerBound * accumulatorSize, count: range.count,
      into: buffer + range.lowerBound * elementSize)
  }

  /// Moves every flow of a round as far as it goes; true when all have completed.
  private func advance(_ round: RoundRun) throws -> Bool {
    var isComplete = true
    // Sends first: a receive whose message has been announced already may copy all of it before it
    // returns, and the peer would wait that long for the announcement of this rank's.
    for index in round.sends.indices { try advance(&round.sends[index]) }
    for index in round.gatherings.indices {
      try advance(&round.gatherings[index], sends: round.sends)
      if !round.gatherings[index].isComplete { isComplete = false }
    }
    for index in round.replacements.indices {
      try advance(&round.replacements[index])
      if !round.replacements[index].flow.isComplete { isComplete = false }
    }
    // Receives have let MPI make progress: another look would find no more, and may come only after
    // another rank has had the core.
    for index in round.sends.indices {
      try round.sends[index].flow.progress(transport)
      if !round.sends[index].flow.isComplete { isComplete = false }
    }
    return isComplete
  }

  private func arePartial(_ payload: Transfer.Payload) -> Bool {
    switch payload {
    case .input: input == .partials
    case .partial: true
    case .result: false
    }
  }

  private func advance(_ movement: inout RoundRun.Movement) throws {
    let transfer = movement.transfer
    let tag = tag + movement.lane
    try movement.flow.progress(transport)
    while movement.flow.canStart(before: movement.flow.segments) {
      let range = segment(movement.flow.started, of: transfer.range)
      let isPartial = arePartial(transfer.payload)
      let size = isPartial ? accumulatorSize : elementSize
      let offset = transfer.plane * planeStride + range.lowerBound * size
      if transfer.direction == .send {
        let place =
          switch transfer.payload {
          case .input: source
          case .partial: movement.isInput ? firstPartials : UnsafeRawPointer(partials)
          case .result: UnsafeRawPointer(buffer)
          }
        let bytes = UnsafeRawBufferPointer(start: place + offset, count: range.count * size)
        movement.flow.start(try transport.startSend(bytes, to: transfer.peer, tag: tag))
      } else {
        let bytes = UnsafeMutableRawBufferPointer(
          start: (isPartial ? partials : buffer) + offset, count: range.count * size)
        movement.flow.start(try transport.startReceive(bytes, from: transfer.peer, tag: tag))
      }
    }
  }

  private func advance(
    _ gathering: inout RoundRun.Gathering, sends: UnsafeMutableBufferPointer<RoundRun.Movement>
  ) throws {
    let peers = gathering.peers
    while !gathering.isComplete {
      let number = gathering.reduced
      var hasArrived = true
      for index in peers.indices {
        try advance(&peers[index], number: index, of: gathering)
        if peers[index].flow.completed <= number { hasArrived = false }
      }
      guard hasArrived else { return }
      // What is being sent is not overwritten before it has left.
      if let send = gathering.send {
        let flow = sends[send].flow
        let isSameCut = sends[send].transfer.range == gathering.range
        guard flow.completed > (isSameCut ? number : flow.segments - 1) else { return }
      }
      reduce(number, of: gathering)
      gathering.reduced += 1
    }
  }

  private func advance(
    _ peer: inout RoundRun.Peer, number: Int, of gathering: RoundRun.Gathering
  ) throws {
    try peer.flow.progress(transport)
    let size = arePartial(gathering.payload) ? accumulatorSize : elementSize
    while peer.flow.canStart(before: gathering.reduced + gathering.window) {
      let segment = segment(peer.flow.started, of: gathering.range)
      let bytes = UnsafeMutableRawBufferPointer(
        start: place(peer.flow.started, from: number, of: gathering), count: segment.count * size)
      peer.flow.start(
        try transport.startReceive(bytes, from: peer.rank, tag: tag + peer.lane))
    }
  }

  /// Where a segment from a peer arrives.
  private func place(
    _ segment: Int, from peer: Int, of gathering: RoundRun.Gathering
  ) -> UnsafeMutableRawPointer {
    let slot = peer * gathering.window + segment % gathering.window
    return staging + gathering.staging
      + slot * min(segmentLength, gathering.range.count) * accumulatorSize
  }

  private func reduce(_ number: Int, of gathering: RoundRun.Gathering) {
    let range = segment(number, of: gathering.range)
    let offset = range.lowerBound * accumulatorSize
    let own = (gathering.isInput ? firstPartials : UnsafeRawPointer(partials)) + offset
    for index in gathering.operands.indices {
      operands[index] =
        switch gathering.operands[index] {
        case .plane(let plane): own + plane * planeStride
        case .peer(let peer): UnsafeRawPointer(place(number, from: peer, of: gathering))
        }
    }
    reducer!.reduce(
      Reducer.Operands(
        pointers: .init(rebasing: operands[..<gathering.operands.count]),
        starts: gathering.starts?.baseAddress,
        arePartial: arePartial(gathering.payload) ? .all : .one(gathering.ownPosition),
        areFetched: .one(gathering.ownPosition)),
      count: range.count, into: partials + offset + gathering.target * planeStride)
  }

  /// Both sides cut a range alike: by its count and the element type alone.
  private func segment(_ number: Int, of range: Range<Int>) -> Range<Int> {
    let start = range.lowerBound + number * segmentLength
    return start..<min(start + segmentLength, range.upperBound)
  }
}
