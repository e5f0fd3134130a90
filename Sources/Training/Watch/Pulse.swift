import Collective
import Synchronization

/// What a rank is doing.
public enum Phase: Int, CaseIterable, Sendable {
  /// Before the first step: MPI's start, reading the configuration, opening the data.
  case start
  case data
  case compute
  case communication
  case evaluation
  case checkpoint
  /// Between two of these: writing what a run says.
  case other
  /// After the last step: comparing replicas, writing results, MPI's end.
  case end
}

/// Where a rank is in a run.
struct Place: Equatable, Sendable {
  /// Counted from 1; 0 before the first.
  var step = 0
  var phase = Phase.start
  /// It has arrived at a call that all ranks make, and waits for the others.
  var isWaiting = false
}

extension Place {
  /// | step: 32 bits | waiting: 8 | phase: 8 |, in the low bits.
  var word: UInt64 { UInt64(step) << 16 | (isWaiting ? 0x100 : 0) | UInt64(phase.rawValue) }

  init(word: UInt64) {
    step = Int(word >> 16 & 0xffff_ffff)
    isWaiting = word & 0x100 != 0
    phase = Phase(rawValue: Int(word & 0xff)) ?? .other
  }
}

extension Place: CustomStringConvertible {
  /// Such as `step 120, communication (waiting)`.
  var description: String {
    (step > 0 ? "step \(step), " : "") + "\(phase)" + (isWaiting ? " (waiting)" : "")
  }
}

/// A rank's sign of life: written by the thread that trains, in a few stores, and read by its
/// watchdog.
public final class Pulse: Sendable {
  private let word = Atomic<UInt64>(0)
  private let count = Atomic<UInt64>(0)

  public init() {}

  func enter(_ phase: Phase) {
    var place = place
    place.phase = phase
    place.isWaiting = false
    store(place)
  }

  /// - Parameter step: counted from 1.
  func begin(step: Int) {
    var place = place
    place.step = step
    store(place)
  }

  /// Something has moved within a phase.
  func beat() {
    // One thread writes: a load and a store cost less than an addition in memory.
    count.store(count.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
  }

  private func store(_ place: Place) {
    word.store(place.word, ordering: .relaxed)
    beat()
  }

  var place: Place { Place(word: word.load(ordering: .relaxed)) }
  /// Differs whenever something has moved.
  var beats: UInt64 { count.load(ordering: .relaxed) }

  /// Runs what blocks until all ranks have called it.
  public func waiting<Result>(_ body: () throws -> Result) rethrows -> Result {
    waits()
    defer { ended() }
    return try body()
  }
}

extension Pulse: WaitObserver {
  public func waits() { wait(true) }
  public func ended() { wait(false) }

  private func wait(_ isWaiting: Bool) {
    var place = place
    place.isWaiting = isWaiting
    store(place)
  }
}
