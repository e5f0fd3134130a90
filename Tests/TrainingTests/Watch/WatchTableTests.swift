import Testing

@testable import Training

@Suite("what ranks know of each other")
struct WatchTableTests {
  private func table(_ rank: Int, of size: Int, at place: Place? = nil) -> WatchTable {
    var table = WatchTable(rank: rank, size: size, now: 0)
    if let place { table.update(place, beats: 1, now: 0) }
    return table
  }

  @Test("a place survives its word", arguments: Phase.allCases, [false, true])
  func place(phase: Phase, isWaiting: Bool) {
    for step in [0, 1, 70_000, 1 << 31] {
      let place = Place(step: step, phase: phase, isWaiting: isWaiting)
      #expect(Place(word: place.word) == place)
    }
  }

  @Test("news reach every rank in log2(size) messages each", arguments: [2, 3, 8, 13, 100])
  func spread(size: Int) {
    let places = (0..<size).map { Place(step: 10 * $0 + 1, phase: .compute) }
    var tables = (0..<size).map { table($0, of: size, at: places[$0]) }
    var distance = 1
    while distance < size {
      let sent = tables.map { $0.messages(key: 7, now: 0) }
      for rank in 0..<size {
        for message in sent[rank] {
          tables[(rank + distance) % size].merge(message, key: 7, now: 0)
        }
      }
      distance *= 2
    }
    for table in tables { #expect(table.entries.map(\.place) == places) }
  }

  @Test("times travel as durations, and are right on another clock")
  func durations() {
    var one = table(0, of: 2)
    one.update(Place(step: 5), beats: 3, now: 100)
    one.update(Place(step: 5), beats: 3, now: 104)
    var other = WatchTable(rank: 1, size: 2, now: 2000)
    for message in one.messages(key: 7, now: 105) { other.merge(message, key: 7, now: 2000) }
    #expect(other.entries[0].moved == 1995)
    #expect(other.entries[0].heard == 1999)
  }

  @Test("older news change nothing, and nobody tells a rank where it is itself")
  func older() {
    var one = table(0, of: 2)
    one.update(Place(step: 1), beats: 1, now: 0)
    let first = one.messages(key: 7, now: 0)
    one.update(Place(step: 2), beats: 2, now: 1)
    let second = one.messages(key: 7, now: 1)
    var other = table(1, of: 2)
    for message in second + first { other.merge(message, key: 7, now: 2) }
    #expect(other.entries[0].place.step == 2)
    for message in first { one.merge(message, key: 7, now: 2) }
    #expect(one.entries[0].place.step == 2)
  }

  @Test("what is not a message of the job is passed over")
  func strangers() {
    let message = table(0, of: 3, at: Place(step: 9)).messages(key: 7, now: 0)[0]
    var other = table(1, of: 3)
    other.merge(message, key: 8, now: 0)
    for length in 0..<message.count { other.merge(message[..<length], key: 7, now: 0) }
    other.merge(message + [1], key: 7, now: 0)
    // A rank that there is not.
    var wrong = message
    wrong[8] = 200
    other.merge(wrong, key: 7, now: 0)
    #expect(other.entries.allSatisfy { $0.number == 0 })
    other.merge(message, key: 7, now: 0)
    #expect(other.entries[0].place.step == 9)
  }
}
