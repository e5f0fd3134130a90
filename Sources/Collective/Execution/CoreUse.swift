import Foundation

/// Whether a waiting rank has its core for itself, and what it does with it.
///
/// A core that is offered to others comes back at once if nobody wants it, and soon from a program
/// that waits itself every now and then. One that only computes keeps it for a whole slice, some
/// milliseconds, however soon what is waited for comes. But who wakes from a sleep goes before who
/// computes: beside such a program a rank sleeps between its looks, and makes offers again from time
/// to time.
struct CoreUse {
  /// Nanoseconds of an offer that only computing takes; the Linux scheduler's slices are 2.8 ms and more.
  static let slice: UInt64 = 2_500_000
  /// Nanoseconds from the last offer to the next one.
  static let pause: UInt64 = 100_000_000
  /// Of such an offer in the score, against 1 of every other: the scheduler gives a core back at once
  /// now and then, even beside a program that only computes.
  private static let weight = 4
  /// The score from which on a rank sleeps, and the highest there is.
  private static let highest = 3 * weight

  private var score = 0
  private var nextOffer: UInt64 = 0

  /// Gives up the core for a moment.
  mutating func giveUp() {
    giveUp(now: CoreUse.nanoseconds, offer: { _ = sched_yield() }, sleep: { usleep(250) })
  }

  /// - Parameter now: nanoseconds.
  mutating func giveUp(now: () -> UInt64, offer: () -> Void, sleep: () -> Void) {
    let start = now()
    guard start >= nextOffer else { return sleep() }
    offer()
    let end = now()
    let isTaken = end - start >= CoreUse.slice
    score = isTaken ? min(score + CoreUse.weight, CoreUse.highest) : max(score - 1, 0)
    if score == CoreUse.highest { nextOffer = end + CoreUse.pause }
  }

  private static func nanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
