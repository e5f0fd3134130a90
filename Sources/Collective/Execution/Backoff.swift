import CCPU
import Foundation

/// How a rank waits for others: it spins for a moment, because on cores of their own they are about
/// to come, and then offers its core to them before every further look.
struct Backoff {
  private var looks = 0
  private let spins: Int

  /// - Parameter spins: looks before the core is given up; none where ranks outnumber cores.
  init(spins: Int) { self.spins = spins }

  /// Looks before the core is given up on a node whose ranks have cores of their own: some 50 us.
  static let shortSpin = 2000

  /// Between two looks. True from time to time when the wait has become a long one, for whoever
  /// wants to look at the clock.
  mutating func pause() -> Bool {
    looks += 1
    if looks < spins {
      CCPU_pause()
    } else {
      sched_yield()
    }
    return looks & 255 == 0
  }
}
