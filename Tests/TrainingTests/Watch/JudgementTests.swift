import Testing

@testable import Training

@Suite("who keeps a job from going on")
struct JudgementTests {
  private static let waiting = Place(step: 5, phase: .communication, isWaiting: true)

  /// What rank 0 knows after 60 s in which nothing has moved.
  /// - Parameter silent: ranks from which nothing has come in that time.
  private func table(_ places: [Place], silent: [Int] = [], moved: [Int] = []) -> WatchTable {
    var table = WatchTable(rank: 0, size: places.count, now: 0)
    table.update(places[0], beats: 1, now: 0)
    for rank in places.indices.dropFirst() {
      var other = WatchTable(rank: rank, size: places.count, now: 0)
      other.update(places[rank], beats: 1, now: 0)
      if !silent.contains(rank) {
        other.update(places[rank], beats: moved.contains(rank) ? 2 : 1, now: 60)
      }
      for message in other.messages(key: 0, now: 60) { table.merge(message, key: 0, now: 60) }
    }
    if !silent.contains(0) { table.update(places[0], beats: 1, now: 60) }
    return table
  }

  private func judge(_ table: WatchTable) throws -> Judgement {
    try #require(Judgement(table, limit: 60, now: 60))
  }

  @Test("a rank that waits for nobody is missed by those that wait")
  func busy() throws {
    let places = [Self.waiting, Place(step: 5, phase: .data), Self.waiting]
    let judgement = try judge(table(places))
    #expect(judgement.suspects == [1])
    #expect(judgement.speaker == 0)
    #expect(judgement.silent.isEmpty && judgement.unknown.isEmpty)
  }

  @Test("a rank that gives no sign of life is missed wherever it was")
  func silent() throws {
    let judgement = try judge(table([Self.waiting, Self.waiting, Self.waiting], silent: [2]))
    #expect(judgement.suspects == [2])
    #expect(judgement.silent == [2])
  }

  @Test("the lowest rank that is not missed speaks; where all are, the lowest")
  func speaker() throws {
    let busy = Place(step: 5, phase: .data)
    #expect(try judge(table([busy, Self.waiting, Self.waiting])).speaker == 1)
    let all = try judge(table([busy, busy]))
    #expect(all.suspects == [0, 1])
    #expect(all.speaker == 0)
  }

  @Test("where all wait, those that are elsewhere than most are missed")
  func elsewhere() throws {
    let end = Place(step: 9, phase: .end, isWaiting: true)
    #expect(try judge(table([Self.waiting, end, Self.waiting])).suspects == [1])
    #expect(try judge(table([Self.waiting, end])).suspects == [0, 1])
    #expect(try judge(table([Self.waiting, Self.waiting])).suspects == [])
  }

  @Test("ranks of which nothing was ever heard are named apart")
  func unknown() throws {
    var table = WatchTable(rank: 0, size: 3, now: 0)
    table.update(Self.waiting, beats: 1, now: 0)
    table.update(Self.waiting, beats: 1, now: 60)
    let judgement = try judge(table)
    #expect(judgement.unknown == [1, 2])
    #expect(judgement.suspects == [])
  }

  @Test("nobody is missed while this rank goes on, nor for a time in which it did not run")
  func calm() {
    let places = [Self.waiting, Self.waiting]
    #expect(Judgement(table(places, silent: [1]), limit: 61, now: 60) == nil)
    var paused = table(places, silent: [1])
    paused.skip(30)
    #expect(Judgement(paused, limit: 60, now: 60) == nil)
  }

  @Test("a rank that has just gone on is not missed")
  func goesOn() throws {
    let busy = Place(step: 5, phase: .compute)
    #expect(try judge(table([Self.waiting, busy, busy], moved: [2])).suspects == [1])
  }
}
