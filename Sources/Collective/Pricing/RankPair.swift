import Kernels

/// Two ranks that run the rounds of which schedules are made, and time them.
final class RankPair {
  private let transport: any PointToPoint
  private let executor: ScheduleExecutor
  private let reducer: Reducer
  // What the reducer works with, and does not keep.
  private let kernels: KernelSet
  private let scratch = ReductionScratch()
  private let memory: UnsafeMutableRawBufferPointer
  private let clock = ContinuousClock()

  private static let executorTags = 1..<16_001

  /// - Parameters:
  ///   - transport: of the two ranks; it carries nothing else meanwhile.
  ///   - memory: that messages come from and go to; it must outlive the pair.
  init(_ transport: any PointToPoint, kernels: KernelSet, memory: UnsafeMutableRawBufferPointer) {
    precondition(transport.size == 2)
    self.transport = transport
    executor = ScheduleExecutor(
      over: transport, tags: RankPair.executorTags, segmentSize: ScheduleRun.segmentSize)
    self.kernels = kernels
    reducer = Reducer(Reduction<Float>.sum, ranks: 2, Reducer.Means(kernels, scratch))
    self.memory = memory
  }

  /// Seconds of a round whose messages of `count` elements are added to other elements than those
  /// that are sent, and of one whose messages replace: the halves of most schedules, on a buffer of
  /// two messages.
  func reducingAndReplacing(count: Int) throws -> (reducing: Double, replacing: Double) {
    let reducing = try time(.reduceScatter(.direct), count: 2 * count)
    return (reducing, try time(.allgather(.direct), count: 2 * count))
  }

  /// Seconds of a round whose messages are added to what is sent, on a buffer of one message.
  func combining(count: Int) throws -> Double {
    try time(.allreduce(.recursiveDoubling), count: count)
  }

  /// Seconds of a message that is added and one back that replaces, on a buffer of one message.
  func roundTrip(count: Int) throws -> Double {
    let back = try time(.reduce(.tree, root: 0), count: count)
    return back + (try time(.broadcast(.tree, root: 0), count: count))
  }

  private func time(_ algorithm: CollectiveAlgorithm, count: Int) throws -> Double {
    let key = ScheduleExecutor.Key(algorithm: algorithm, count: count, type: .float32)
    precondition(count * MemoryLayout<Float>.size <= memory.count)
    let duration = try clock.measure {
      let lent = try executor.start(
        key, memory.baseAddress!,
        reducer: algorithm.goal.isReducing ? reducer : nil)
      var backoff = Backoff(spins: Backoff.shortSpin)
      while try !lent.run.progress() { _ = backoff.pause() }
      lent.retire()
    }
    return duration.seconds
  }

  /// Returns on both ranks at about the same time, as collectives begin.
  func meet() throws { _ = try slowest(0) }

  /// The longer of both ranks' times, on both: they decide alike.
  func slowest(_ seconds: Double) throws -> Double {
    var (mine, theirs) = (seconds, 0.0)
    try withUnsafeMutableBytes(of: &theirs) { theirs in
      try withUnsafeBytes(of: &mine) { mine in
        let peer = 1 - transport.rank
        let receive = try transport.startReceive(theirs, from: peer, tag: 0)
        let send = try transport.startSend(mine, to: peer, tag: 0)
        try transport.wait(receive)
        try transport.wait(send)
      }
    }
    return max(mine, theirs)
  }
}

extension Duration {
  var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
