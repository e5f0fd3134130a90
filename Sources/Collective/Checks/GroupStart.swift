/// Waits until every rank has come to the start of the group. MPI's own collectives, of which it
/// consists, would wait for a missing one for ever, and without a word.
/// - Throws: `RankMissing`.
func awaitAllRanks(over transport: any Transport, _ options: ProcessGroup.Options) throws {
  guard transport.size > 1 else { return }
  let marks = UnsafeMutablePointer<Int32>.allocate(capacity: transport.size)
  marks.initialize(repeating: 0, count: transport.size)
  let algorithm = CollectiveAlgorithm.allgather(.circulant)
  let run = ScheduleRun(
    algorithm.generator(size: transport.size, count: transport.size, along: nil)
      .schedule(of: transport.rank),
    goal: algorithm.goal, type: .int32, transport: transport, segmentSize: options.segmentSize)
  try run.start(marks, reducer: nil, tag: 0)

  let rollCall = RollCall(over: transport, tag: RollCall.startTag)
  var backoff = Backoff(spins: 0)
  var watch = StallWatch(limit: options.timeLimit)
  while try !run.progress() {
    guard backoff.pause() else { continue }
    try transport.checkAllAreThere()
    switch watch.phase() {
    case .none: break
    case .report: try rollCall.report(1)
    case .listen: try rollCall.listen()
    case .over:
      throw RankMissing(
        absentees: try rollCall.absentees(1), rank: transport.rank, call: "the start of its group",
        seconds: watch.elapsed)
    }
  }
  // Behind an error, messages may still arrive there.
  marks.deallocate()
}
