import MPI

/// Checks candidates, then times them in turns, one size after the other.
///
/// All ranks do the same, in the same order. A single call is timed from a barrier on, and its time
/// is that of the slowest rank.
final class AllreduceTimer<Element: BenchmarkElement> {
  private let world: Communicator
  private let candidates: [Candidate]
  private let turns: Turns
  private let pattern: TestPattern<Element>
  private var memory: BenchmarkMemory
  /// Seconds for one size.
  private let budget: Double

  /// The part of the budget for calls without barriers.
  private static var streamShare: Double { 0.25 }
  /// Microseconds that a block of such calls takes: short, so that most of them are not
  /// interrupted.
  private static var streamBlock: Double { 1000 }
  private static var possibleBlocks: ClosedRange<Double> { 3...200 }
  private static var possibleRounds: ClosedRange<Double> { 5...5000 }

  init(
    _ candidates: [Candidate], _ pattern: TestPattern<Element>, world: Communicator,
    memory: BenchmarkMemory, budget: Double
  ) {
    self.world = world
    self.candidates = candidates
    turns = Turns(of: candidates.count)
    self.pattern = pattern
    self.memory = memory
    self.budget = budget
  }

  /// Measures buffers of `count` elements. Collective.
  /// - Returns: of every candidate, in their order.
  func measure(count: Int) throws -> [Measurement] {
    memory.cut(byteCount: count * MemoryLayout<Element>.stride)
    let wrong = try candidates.map { try wrongCounts($0, count: count) }
    // Numbers that reductions leave as they are: many calls in place must not end in infinities.
    memory.fill(with: Element(nearest: pattern.reduction == .product ? 1 : 0))
    let rounds = try chooseRounds(count: count)
    let times = try timeCalls(count: count, rounds: rounds)
    let timings = times.map { $0.isEmpty ? nil : Timing(nanoseconds: $0) }
    let streams = try timeStreams(count: count, calls: timings.map { $0?.median })
    return candidates.indices.map { index in
      let (outOfPlace, inPlace) = (timings[2 * index]!, timings[2 * index + 1])
      return Measurement(
        candidate: candidates[index].name, kind: candidates[index].kind,
        outOfPlace: .init(timing: outOfPlace, wrong: wrong[index].outOfPlace),
        inPlace: inPlace.map { .init(timing: $0, wrong: wrong[index].inPlace) },
        stream: streams[index])
    }
  }

  /// Wrong elements of one call each, on all ranks together. An input that an out-of-place call has
  /// changed is wrong too.
  private func wrongCounts(
    _ candidate: Candidate, count: Int
  ) throws -> (outOfPlace: Int, inPlace: Int) {
    func typed(_ memory: UnsafeMutableRawPointer) -> UnsafeMutableBufferPointer<Element> {
      .init(start: memory.assumingMemoryBound(to: Element.self), count: count)
    }
    let source = memory.source(inWindow: candidate.usesWindow)
    let target = memory.target(inWindow: candidate.usesWindow)
    let (input, result) = (typed(source), UnsafeBufferPointer(typed(target)))
    var wrong: [Int64] = [0, 0]
    pattern.fill(input, rank: world.rank)
    typed(target).update(repeating: Element(nearest: 3))
    try candidate.outOfPlace(source, target, count)
    let changed = pattern.wrongCount(in: UnsafeBufferPointer(input), asInputOf: world.rank)
    let isCopy = candidate.kind == .memcpy
    wrong[0] = Int64(
      changed
        + (isCopy
          ? pattern.wrongCount(in: result, asInputOf: world.rank) : pattern.wrongCount(in: result)))
    if let inPlace = candidate.inPlace {
      pattern.fill(typed(target), rank: world.rank)
      try inPlace(target, count)
      wrong[1] = Int64(pattern.wrongCount(in: result))
    }
    try wrong.withUnsafeMutableBufferPointer { try world.allreduce($0, .sum) }
    return (Int(wrong[0]), Int(wrong[1]))
  }

  /// Warms up, and finds out how many rounds the budget allows; the same number on all ranks.
  private func chooseRounds(count: Int) throws -> Int {
    _ = try timeCalls(count: count, rounds: 1)
    let start = monotonicNanoseconds()
    _ = try timeCalls(count: count, rounds: 1)
    let seconds = Double(monotonicNanoseconds() - start) * 1e-9
    let affordable = budget * (1 - AllreduceTimer.streamShare) / max(seconds, 1e-9)
    let possible = AllreduceTimer.possibleRounds
    var rounds = [Int64(min(max(affordable, possible.lowerBound), possible.upperBound))]
    try rounds.withUnsafeMutableBytes { try world.broadcast($0) }
    _ = try timeCalls(count: count, rounds: Int(rounds[0]) / 10)
    return Int(rounds[0])
  }

  /// Calls every candidate once a round, out of place and in place.
  /// - Returns: nanoseconds of each call; two lists for each candidate, the second one empty where
  ///   there is no call in place.
  private func timeCalls(count: Int, rounds: Int) throws -> [[Int64]] {
    // One row for each candidate and mode, so that the slowest ranks are found in one reduction.
    var times = [Int64](repeating: 0, count: 2 * candidates.count * rounds)
    for round in 0..<rounds {
      for index in turns[round] {
        let candidate = candidates[index]
        let inWindow = candidate.usesWindow
        let source = UnsafeRawPointer(memory.source(inWindow: inWindow))
        var target = memory.target(inWindow: inWindow)
        try world.barrier()
        var start = monotonicNanoseconds()
        try candidate.outOfPlace(source, target, count)
        times[2 * index * rounds + round] = monotonicNanoseconds() - start
        guard let inPlace = candidate.inPlace else { continue }
        target = memory.target(inWindow: inWindow)
        try world.barrier()
        start = monotonicNanoseconds()
        try inPlace(target, count)
        times[(2 * index + 1) * rounds + round] = monotonicNanoseconds() - start
      }
    }
    try times.withUnsafeMutableBufferPointer { try world.allreduce($0, .maximum) }
    return (0..<2 * candidates.count).map { row in
      row % 2 == 1 && candidates[row / 2].inPlace == nil
        ? [] : Array(times[row * rounds..<(row + 1) * rounds])
    }
  }

  /// Calls every candidate many times, one call after the other, in blocks that take turns.
  /// - Parameter calls: microseconds of one call, two for each candidate; the same on all ranks.
  /// - Returns: microseconds a call, the median of the blocks.
  private func timeStreams(count: Int, calls: [Double?]) throws -> [Double] {
    let singles = candidates.indices.map { max(calls[2 * $0 + 1] ?? calls[2 * $0]!, 0.01) }
    let lengths = singles.map { max(Int(AllreduceTimer.streamBlock / $0), 2) }
    let turn = zip(singles, lengths).reduce(0) { $0 + $1.0 * Double($1.1) } * 1e-6
    let affordable = budget * AllreduceTimer.streamShare / turn
    let possible = AllreduceTimer.possibleBlocks
    let blocks = Int(min(max(affordable, possible.lowerBound), possible.upperBound))
    var times = [Int64](repeating: 0, count: candidates.count * blocks)
    for block in 0..<blocks {
      for index in turns[block] {
        let candidate = candidates[index]
        try world.barrier()
        let start = monotonicNanoseconds()
        // Closures that are kept outside the loops: no call waits for the count of a reference.
        if let inPlace = candidate.inPlace {
          for _ in 0..<lengths[index] {
            try inPlace(memory.target(inWindow: candidate.usesWindow), count)
          }
        } else {
          let outOfPlace = candidate.outOfPlace
          for _ in 0..<lengths[index] {
            try outOfPlace(
              memory.source(inWindow: candidate.usesWindow),
              memory.target(inWindow: candidate.usesWindow), count)
          }
        }
        times[index * blocks + block] = monotonicNanoseconds() - start
      }
    }
    try times.withUnsafeMutableBufferPointer { try world.allreduce($0, .maximum) }
    return candidates.indices.map { index in
      Timing(nanoseconds: times[index * blocks..<(index + 1) * blocks]).median
        / Double(lengths[index])
    }
  }
}
