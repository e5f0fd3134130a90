import CCPU
import Foundation

/// How a rank waits for others: it spins for a moment, because on cores of their own they are about
/// to come, and then gives up its core before every further look.
struct Backoff {
  private var looks = 0
  private let spins: Int
  private let core: UnsafeMutablePointer<CoreUse>?

  /// - Parameters:
  ///   - spins: looks before the core is given up; none where ranks outnumber cores.
  ///   - core: what this rank's waits have found out about it; nil to offer it whatever they find.
  init(spins: Int, core: UnsafeMutablePointer<CoreUse>? = nil) {
    self.spins = spins
    self.core = core
  }

  /// Looks before the core is given up on a node whose ranks have cores of their own: some 50 us.
  static let shortSpin = 2000

  /// Between two looks. True from time to time when the wait has become a long one, for whoever
  /// wants to look at the clock.
  mutating func pause() -> Bool {
    looks += 1
    if looks < spins {
      CCPU_pause()
    } else if let core {
      core.pointee.giveUp()
    } else {
      sched_yield()
    }
    return looks & 255 == 0
  }
}
