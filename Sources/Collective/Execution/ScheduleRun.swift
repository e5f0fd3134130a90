import Kernels

/// One rank's part of a collective under way over a transport: starts a round's transfers segment
/// by segment, reduces each segment as soon as it has arrived from everybody, while later ones are
/// still travelling, and goes on to the next round.
///
/// Made once for a schedule and an element type; it allocates nothing when it runs.
final class ScheduleRun {
  /// Bytes of a segment, as accumulators: small enough to be in the cache when it is reduced, large
  /// enough for a message's handshake not to count. (128 KiB took 1.5 times as long on 2 ranks from
  /// 4 MB up.)
  static let segmentSize = 512 * 1024

  private let segmentSize: Int
  private let plan: ExecutionPlan
  private let transport: any PointToPoint
  private let count: Int
  private let elementSize: Int
  private let accumulatorSize: Int

  private var reducer: Reducer?
  private var buffer = UnsafeMutableRawPointer(bitPattern: 64)!
  /// Partial results: the buffer itself, or floats beside it for 16-bit elements.
  private var partials = UnsafeMutableRawPointer(bitPattern: 64)!
  private let wideMemory: UnsafeMutableRawPointer?
  private let staging: UnsafeMutableRawPointer
  private let operands: UnsafeMutableBufferPointer<UnsafeRawPointer>
  /// The first of `ExecutionPlan.lanes` tags.
  private var tag = 0

  /// The round under way; `plan.steps.count` when all have completed.
  private var step: Int
  /// Of the round under way, by step: flows of sends, of replacements, and of each gathering's
  /// peers.
  private var work: [StepWork]

  private struct StepWork {
    var sends: [Flow]
    var replacements: [Flow]
    var gatherings: [GatheringWork]
  }

  private struct GatheringWork {
    var flows: [Flow]
    /// Segments that have been reduced.
    var reduced = 0
    /// Where its staging begins, in bytes: `Flow.window` segments for each peer.
    var staging: Int

    var isComplete: Bool { reduced == flows[0].segments }
  }

  init(
    _ schedule: Schedule, goal: Goal, type: ElementType, transport: any PointToPoint,
    segmentSize: Int
  ) {
    self.segmentSize = segmentSize
    let plan = ExecutionPlan(schedule, goal: goal)
    self.plan = plan
    self.transport = transport
    count = schedule.count
    elementSize = type.byteCount
    accumulatorSize = type.accumulator.byteCount
    step = plan.steps.count
    let segment = segmentSize / type.accumulator.byteCount
    func flow(_ range: Range<Int>) -> Flow {
      Flow(segments: (range.count + segment - 1) / segment)
    }
    var stagingSize = 0
    work = plan.steps.map { step in
      var staged = 0
      let gatherings = step.reductions.map { gathering in
        let flows = gathering.peers.map { _ in flow(gathering.range) }
        let work = GatheringWork(flows: flows, staging: staged)
        let largest = min(segment, gathering.range.count) * type.accumulator.byteCount
        staged += flows.count * min(Flow.window, flows[0].segments) * largest
        staged = (staged + 63) / 64 * 64
        return work
      }
      stagingSize = max(stagingSize, staged)
      return StepWork(
        sends: step.sends.map { flow($0.transfer.range) },
        replacements: step.replacements.map { flow($0.transfer.range) },
        gatherings: gatherings)
    }
    staging = .allocate(byteCount: max(stagingSize, 1), alignment: AlignedBuffer.alignment)
    wideMemory =
      plan.isReducing && type.accumulator != type
      ? .allocate(byteCount: max(count * 4, 1), alignment: AlignedBuffer.alignment) : nil
    operands = .allocate(
      capacity: 1 + (plan.steps.flatMap(\.reductions).map(\.peers.count).max() ?? 0))
  }

  deinit {
    staging.deallocate()
    wideMemory?.deallocate()
    operands.deallocate()
  }

  var isComplete: Bool { step == plan.steps.count }

  /// Differs whenever a segment has arrived or left.
  var progressMark: Int {
    guard !isComplete else { return step << 32 }
    let flows = work[step].gatherings.flatMap(\.flows) + work[step].replacements + work[step].sends
    return flows.reduce(step << 32) { $0 + $1.completed }
  }

  /// Starts the first round.
  /// - Parameter reducer: nil for collectives that reduce nothing.
  func start(_ buffer: UnsafeMutableRawPointer, reducer: Reducer?, tag: Int) throws {
    precondition(isComplete)
    self.buffer = buffer
    self.reducer = reducer
    self.tag = tag
    partials = wideMemory ?? buffer
    if let reducer { reducer.widen(buffer, count: wideMemory == nil ? 0 : count, into: partials) }
    step = 0
    try beginStep()
  }

  /// Starts what can be started and finishes what has arrived, without blocking; true at the end.
  func progress() throws -> Bool {
    while !isComplete {
      guard try advance(plan.steps[step], &work[step]) else { return false }
      step += 1
      try beginStep()
    }
    return true
  }

  private func beginStep() throws {
    guard !isComplete else { return plan.lastFinishes.forEach(finish) }
    plan.steps[step].finishes.forEach(finish)
    for index in work[step].sends.indices { work[step].sends[index].reset() }
    for index in work[step].replacements.indices { work[step].replacements[index].reset() }
    for index in work[step].gatherings.indices {
      work[step].gatherings[index].reduced = 0
      for flow in work[step].gatherings[index].flows.indices {
        work[step].gatherings[index].flows[flow].reset()
      }
    }
    _ = try advance(plan.steps[step], &work[step])
  }

  private func finish(_ range: Range<Int>) {
    reducer!.finish(
      partials + range.lowerBound * accumulatorSize, count: range.count,
      into: buffer + range.lowerBound * elementSize)
  }

  /// Moves every flow of a round as far as it goes; true when all have completed.
  private func advance(_ step: ExecutionPlan.Step, _ work: inout StepWork) throws -> Bool {
    var isComplete = true
    for index in work.sends.indices { try work.sends[index].progress(transport) }
    // Receives first, so that an arriving message finds its place.
    for index in work.gatherings.indices {
      try advance(step, step.reductions[index], &work.gatherings[index], sends: work.sends)
      if !work.gatherings[index].isComplete { isComplete = false }
    }
    for index in work.replacements.indices {
      try advance(step.replacements[index], &work.replacements[index])
      if !work.replacements[index].isComplete { isComplete = false }
    }
    for index in work.sends.indices {
      try advance(step.sends[index], &work.sends[index])
      if !work.sends[index].isComplete { isComplete = false }
    }
    return isComplete
  }

  private func advance(_ movement: ExecutionPlan.Movement, _ flow: inout Flow) throws {
    let transfer = movement.transfer
    let tag = tag + movement.lane
    try flow.progress(transport)
    while flow.canStart(before: flow.segments) {
      let range = segment(flow.started, of: transfer.range)
      let isPartial = transfer.payload == .partial
      let size = isPartial ? accumulatorSize : elementSize
      let bytes = UnsafeMutableRawBufferPointer(
        start: (isPartial ? partials : buffer) + range.lowerBound * size, count: range.count * size)
      flow.start(
        transfer.direction == .send
          ? try transport.startSend(UnsafeRawBufferPointer(bytes), to: transfer.peer, tag: tag)
          : try transport.startReceive(bytes, from: transfer.peer, tag: tag))
    }
  }

  private func advance(
    _ step: ExecutionPlan.Step, _ gathering: ExecutionPlan.Gathering,
    _ work: inout GatheringWork, sends: [Flow]
  ) throws {
    let size = gathering.payload == .partial ? accumulatorSize : elementSize
    let slots = min(Flow.window, work.flows[0].segments)
    let slotSize = segment(0, of: gathering.range).count * accumulatorSize
    func place(_ peer: Int, _ number: Int) -> UnsafeMutableRawPointer {
      staging + work.staging + (peer * slots + number % slots) * slotSize
    }
    while !work.isComplete {
      for peer in work.flows.indices {
        try work.flows[peer].progress(transport)
        while work.flows[peer].canStart(before: work.reduced + slots) {
          let number = work.flows[peer].started
          let bytes = UnsafeMutableRawBufferPointer(
            start: place(peer, number),
            count: segment(number, of: gathering.range).count * size)
          work.flows[peer].start(
            try transport.startReceive(
              bytes, from: gathering.peers[peer].rank, tag: tag + gathering.peers[peer].lane))
        }
      }
      let number = work.reduced
      guard work.flows.allSatisfy({ $0.completed > number }) else { return }
      // What is being sent is not overwritten before it has left.
      if let send = gathering.send {
        let isSameCut = step.sends[send].transfer.range == gathering.range
        guard sends[send].completed > (isSameCut ? number : sends[send].segments - 1) else {
          return
        }
      }
      let range = segment(number, of: gathering.range)
      let own = partials + range.lowerBound * accumulatorSize
      for peer in work.flows.indices {
        operands[peer < gathering.ownPosition ? peer : peer + 1] =
          UnsafeRawPointer(place(peer, number))
      }
      operands[gathering.ownPosition] = UnsafeRawPointer(own)
      reducer!.reduce(
        Reducer.Operands(
          pointers: .init(rebasing: operands[..<(work.flows.count + 1)]),
          arePartial: gathering.payload == .partial ? .all : .one(gathering.ownPosition)),
        count: range.count, into: own)
      work.reduced += 1
    }
  }

  /// Both sides cut a range alike: by its count and the element type alone.
  private func segment(_ number: Int, of range: Range<Int>) -> Range<Int> {
    let limit = segmentSize / accumulatorSize
    let start = range.lowerBound + number * limit
    return start..<min(start + limit, range.upperBound)
  }
}
