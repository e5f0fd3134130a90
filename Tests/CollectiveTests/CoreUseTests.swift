import Testing

@testable import Collective

/// A core, and a scheduler that takes so long to give it back.
private struct Core {
  var use = CoreUse()
  private(set) var time: UInt64 = 0
  private(set) var sleeps = 0

  /// - Returns: whether the rank slept.
  mutating func giveUp(comesBackAfter nanoseconds: UInt64) -> Bool {
    let before = sleeps
    var (time, sleeps) = (time, sleeps)
    use.giveUp(
      now: { time }, offer: { time += nanoseconds },
      sleep: {
        time += 250_000
        sleeps += 1
      })
    (self.time, self.sleeps) = (time, sleeps)
    return sleeps > before
  }
}

@Suite("a waiting rank's core")
struct CoreUseTests {
  private static let atOnce: UInt64 = 400
  private static let slice: UInt64 = 4_000_000

  @Test(
    "is offered, whatever it takes, to programs that wait themselves",
    arguments: [CoreUseTests.atOnce, 1_500_000, CoreUse.slice - 1])
  func cooperation(nanoseconds: UInt64) {
    var core = Core()
    for _ in 0..<10_000 {
      let slept = core.giveUp(comesBackAfter: nanoseconds)
      #expect(!slept)
    }
  }

  @Test("is offered where one offer in ten takes long")
  func disturbance() {
    var core = Core()
    for number in 0..<10_000 {
      let slept = core.giveUp(
        comesBackAfter: number % 10 == 0 ? CoreUseTests.slice : CoreUseTests.atOnce)
      #expect(!slept)
    }
  }

  /// As measured: one to three offers come back at once between two that do not.
  @Test("is left by sleeping beside a program that only computes, and offered from time to time")
  func computation() {
    var core = Core()
    var offers: [UInt64] = []
    var number = 0
    while core.time < 1_000_000_000 {
      let isTaken = number % 3 == 2
      let slept = core.giveUp(
        comesBackAfter: isTaken ? CoreUseTests.slice : CoreUseTests.atOnce)
      if !slept {
        number += 1
        if isTaken { offers.append(core.time) }
      }
    }
    #expect(offers.firstIndex { $0 > 50_000_000 }! <= 6)
    // Ten pauses, and an offer that is taken or two after each.
    #expect((9...26).contains(offers.count), "\(offers.count)")
    #expect(core.sleeps >= 3000)
  }

  @Test("is offered again when the program has ended")
  func end() {
    var core = Core()
    while !core.giveUp(comesBackAfter: CoreUseTests.slice) {}
    let begin = core.time
    while core.giveUp(comesBackAfter: CoreUseTests.atOnce) {}
    #expect(core.time - begin <= CoreUse.pause + 1_000_000)
    for _ in 0..<1000 {
      let slept = core.giveUp(comesBackAfter: CoreUseTests.atOnce)
      #expect(!slept)
    }
  }
}
