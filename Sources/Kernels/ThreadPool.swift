import CCPU
import Glibc
import Synchronization

/// Work in parts that any thread may do, in any order.
protocol DividedWork {
  /// Does one part.
  /// - Parameter thread: who does it, 0 being the one that has called `ThreadPool.run`. No two parts
  ///   are done by one thread at a time, so that it may have memory of its own.
  func run(part: Int, thread: Int)
}

extension DividedWork {
  fileprivate static func run(_ work: UnsafeRawPointer, part: Int, thread: Int) {
    work.assumingMemoryBound(to: Self.self).pointee.run(part: part, thread: thread)
  }
}

/// Threads that wait for work, do it together with the thread that calls, and are joined when the pool
/// goes away.
///
/// A thread begins with the part of its own number, so that the same memory stays in the same caches,
/// and goes on with parts that nobody has begun: one that wakes up late, or has lost its core, keeps
/// nobody waiting but for the part that it is in. Idle threads spin for a moment, then sleep. Nothing is
/// allocated by a call.
///
/// An instance belongs to the thread that has made it.
final class ThreadPool {
  /// Threads that work, the caller included: as many as were asked for and the system had.
  let count: Int
  private let shared: Shared
  private let workers: [pthread_t]

  /// - Parameters:
  ///   - threads: the caller included; at least 1.
  ///   - spins: whether idle threads spin before they sleep. Without it they leave their cores to
  ///     others at once: for threads that outnumber cores.
  init(threads: Int, spins: Bool) {
    precondition(threads > 0)
    let shared = Shared(spins: spins ? ThreadPool.shortSpin : 0)
    self.shared = shared
    var workers: [pthread_t] = []
    for number in 1..<threads {
      let start = Unmanaged.passRetained(WorkerStart(shared: shared, number: number))
      var worker = pthread_t()
      let failure = pthread_create(
        &worker, nil,
        { argument in
          let start = Unmanaged<WorkerStart>.fromOpaque(argument!).takeRetainedValue()
          start.shared.work(as: start.number)
          return nil
        }, start.toOpaque())
      guard failure == 0 else {
        // The system has no more threads: those that there are give the same results.
        start.release()
        break
      }
      workers.append(worker)
    }
    self.workers = workers
    count = workers.count + 1
  }

  deinit {
    shared.publish(Shared.stop)
    for worker in workers { pthread_join(worker, nil) }
  }

  /// The most parts of one call.
  static let mostParts = 4096

  /// Looks before an idle thread sleeps: some 250 us, more than lies between two parts of a step that
  /// are worth dividing, and less than a wait for other hosts.
  private static let shortSpin = 8000

  /// Does the parts 0..<parts of `work` and returns when all are done. Called from within a part, it
  /// does them one after the other.
  func run<Work: DividedWork>(_ work: Work, parts: Int) {
    precondition(parts <= ThreadPool.mostParts)
    if parts <= 1 || workers.isEmpty || shared.isBusy {
      let thread = shared.isBusy ? currentThread : 0
      for part in 0..<parts { work.run(part: part, thread: thread) }
      return
    }
    withUnsafePointer(to: work) { shared.run(Work.self, UnsafeRawPointer($0), parts: parts) }
  }

  /// The number of the thread that calls.
  private var currentThread: Int {
    let current = pthread_self()
    return workers.firstIndex { pthread_equal($0, current) != 0 }.map { $0 + 1 } ?? 0
  }
}

private final class WorkerStart {
  let shared: Shared
  let number: Int

  init(shared: Shared, number: Int) {
    self.shared = shared
    self.number = number
  }
}

private struct NoWork: DividedWork {
  func run(part: Int, thread: Int) {}
}

/// What the threads of a pool have in common.
///
/// A call has a word that no other has: its number, and its count of parts. `claims` holds the word of
/// the call for each part that nobody has begun, so that a thread which is a call behind can claim
/// nothing; while a part is claimed and not done, the call is not over and `kind`, `work` and
/// `floatControl` are its own.
private final class Shared: @unchecked Sendable {
  /// The word of the latest call.
  private let latest = Atomic<UInt64>(0)
  private let claims: UnsafeMutablePointer<Atomic<UInt64>>
  private let unfinished = Atomic<Int>(0)
  private var kind: any DividedWork.Type = NoWork.self
  /// How the caller's instructions round and treat subnormal numbers: so do everyone's.
  private var floatControl: UInt64 = 0
  // Never tested for nil: work without operands has no address.
  private var work = UnsafeRawPointer(bitPattern: 64)!

  private let spins: Int
  /// Threads that sleep until `latest` changes, and whether the caller sleeps until all is done.
  private let sleepers = Atomic<Int>(0)
  private let callerSleeps = Atomic<Bool>(false)
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let hasWork = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private let isDone = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  static let stop = UInt64.max
  private static let bitsOfParts = 16

  init(spins: Int) {
    self.spins = spins
    claims = .allocate(capacity: ThreadPool.mostParts)
    for part in 0..<ThreadPool.mostParts { (claims + part).initialize(to: Atomic(0)) }
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(hasWork, nil)
    pthread_cond_init(isDone, nil)
  }

  deinit {
    pthread_cond_destroy(isDone)
    pthread_cond_destroy(hasWork)
    pthread_mutex_destroy(mutex)
    isDone.deallocate()
    hasWork.deallocate()
    mutex.deallocate()
    claims.deinitialize(count: ThreadPool.mostParts)
    claims.deallocate()
  }

  /// Whether a call is under way.
  var isBusy: Bool { unfinished.load(ordering: .relaxed) > 0 }

  /// The caller's part of a call.
  func run(_ kind: any DividedWork.Type, _ work: UnsafeRawPointer, parts: Int) {
    self.kind = kind
    self.work = work
    floatControl = CCPU_floatControl()
    let number = latest.load(ordering: .relaxed) >> Shared.bitsOfParts + 1
    let word = number << Shared.bitsOfParts | UInt64(parts)
    for part in 0..<parts { claims[part].store(word, ordering: .relaxed) }
    unfinished.store(parts, ordering: .relaxed)
    publish(word)
    runParts(of: word, thread: 0)
    awaitEnd()
  }

  /// Makes `word` the latest, and wakes whoever sleeps.
  func publish(_ word: UInt64) {
    // With the loads and stores of `awaitWord`, in one order that all threads agree on: either the
    // sleeper is counted here, or it sees the word.
    latest.store(word, ordering: .sequentiallyConsistent)
    guard sleepers.load(ordering: .sequentiallyConsistent) > 0 else { return }
    pthread_mutex_lock(mutex)
    pthread_cond_broadcast(hasWork)
    pthread_mutex_unlock(mutex)
  }

  /// The life of a thread.
  func work(as thread: Int) {
    var word: UInt64 = 0
    while true {
      word = awaitWord(after: word)
      if word == Shared.stop { return }
      runParts(of: word, thread: thread)
    }
  }

  private func runParts(of word: UInt64, thread: Int) {
    let parts = Int(word & (1 << Shared.bitsOfParts - 1))
    for turn in 0..<parts {
      let part = (thread + turn) % parts
      guard claims[part].load(ordering: .relaxed) == word,
        claims[part].compareExchange(expected: word, desired: 0, ordering: .acquiring).exchanged
      else { continue }
      CCPU_setFloatControl(floatControl)
      kind.run(work, part: part, thread: thread)
      if unfinished.subtract(1, ordering: .sequentiallyConsistent).newValue == 0 { wakeCaller() }
    }
  }

  /// Waits for another call than that of `word`.
  private func awaitWord(after word: UInt64) -> UInt64 {
    for _ in 0..<spins {
      let next = latest.load(ordering: .acquiring)
      if next != word { return next }
      CCPU_pause()
    }
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    sleepers.add(1, ordering: .sequentiallyConsistent)
    defer { sleepers.subtract(1, ordering: .relaxed) }
    while true {
      let next = latest.load(ordering: .sequentiallyConsistent)
      if next != word { return next }
      pthread_cond_wait(hasWork, mutex)
    }
  }

  private func awaitEnd() {
    for _ in 0..<spins {
      if unfinished.load(ordering: .acquiring) == 0 { return }
      CCPU_pause()
    }
    pthread_mutex_lock(mutex)
    callerSleeps.store(true, ordering: .sequentiallyConsistent)
    while unfinished.load(ordering: .sequentiallyConsistent) > 0 {
      pthread_cond_wait(isDone, mutex)
    }
    callerSleeps.store(false, ordering: .relaxed)
    pthread_mutex_unlock(mutex)
  }

  private func wakeCaller() {
    guard callerSleeps.load(ordering: .sequentiallyConsistent) else { return }
    pthread_mutex_lock(mutex)
    pthread_cond_signal(isDone)
    pthread_mutex_unlock(mutex)
  }
}
