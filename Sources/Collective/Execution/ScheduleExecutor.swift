/// Runs schedules over a transport. All ranks start the same ones in the same order; several may be
/// under way at once.
///
/// A schedule and the memory to run it are made at the first call of a size and kept.
final class ScheduleExecutor {
  private let transport: any PointToPoint
  private let tags: Range<Int>
  private let segmentSize: Int
  private let tree: SumTree?
  private var idle: [Key: IdleRuns] = [:]
  private var started = 0

  struct Key: Hashable {
    var algorithm: CollectiveAlgorithm
    var count: Int
    var type: ElementType
    /// Whether inputs have planes, which are added up along the executor's tree.
    var hasPlanes = false
    var input = ScheduleRun.Input.elements

    /// Of the count alone, which tells most of them apart: names of algorithms and types take longer
    /// to hash than a short call takes otherwise.
    func hash(into hasher: inout Hasher) { hasher.combine(count) }
  }

  /// - Parameters:
  ///   - tags: which no other executor uses on this transport. Messages of operations that far
  ///     apart never meet.
  ///   - segmentSize: bytes of a segment, alike on all ranks.
  ///   - tree: of the sums of planes, if there are any.
  init(
    over transport: any PointToPoint, tags: Range<Int>, segmentSize: Int, tree: SumTree? = nil
  ) {
    self.transport = transport
    self.tree = tree
    self.tags = tags
    self.segmentSize = segmentSize
  }

  /// Starts a collective. `buffer` belongs to it until it is complete; `retire` the run then.
  /// - Parameters:
  ///   - source: the input, where it does not lie in `buffer` already; only without planes.
  ///   - planeStride: bytes from one plane of the buffer to the next, if there are several.
  func start(
    _ key: Key, from source: UnsafeRawPointer? = nil, _ buffer: UnsafeMutableRawPointer,
    planeStride: Int = 0, reducer: Reducer?
  ) throws -> LentRun {
    let home = idleRuns(of: key)
    let run = home.take() ?? make(key)
    try run.start(
      from: source, buffer, planeStride: planeStride, reducer: reducer, tag: nextTag())
    return LentRun(run, from: home)
  }

  /// Starts a reduction of partial results, which are overwritten; else as above.
  /// - Parameters:
  ///   - planeStride: bytes from one plane of the partial results to the next, if there are several.
  ///   - siblings: runs of its kind that may be under way at once: the first call makes all of them,
  ///     so that none is made in a later one.
  func start(
    _ key: Key, fromPartials partials: UnsafeMutableRawPointer,
    into buffer: UnsafeMutableRawPointer, planeStride: Int, reducer: Reducer, siblings: Int
  ) throws -> LentRun {
    let home = idleRuns(of: key)
    let run = home.take() ?? make(key, siblings: siblings, home)
    try run.start(
      fromPartials: partials, into: buffer, planeStride: planeStride, reducer: reducer,
      tag: nextTag())
    return LentRun(run, from: home)
  }

  private func nextTag() -> Int {
    let calls = tags.count / ExecutionPlan.lanes
    defer { started += 1 }
    return tags.lowerBound + started % calls * ExecutionPlan.lanes
  }

  private func idleRuns(of key: Key) -> IdleRuns {
    if let known = idle[key] { return known }
    let new = IdleRuns()
    idle[key] = new
    return new
  }

  private func make(_ key: Key, siblings: Int, _ home: IdleRuns) -> ScheduleRun {
    for _ in 1..<siblings { home.put(make(key)) }
    return make(key)
  }

  private func make(_ key: Key) -> ScheduleRun {
    let tree = key.hasPlanes ? tree! : nil
    let generator = key.algorithm.generator(size: transport.size, count: key.count, along: tree)
    return ScheduleRun(
      generator.schedule(of: transport.rank), goal: key.algorithm.goal, type: key.type,
      input: key.input,
      along: tree, transport: transport, segmentSize: segmentSize)
  }
}
