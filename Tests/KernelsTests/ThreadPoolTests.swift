import Foundation
import Synchronization
import Testing

@testable import Kernels

/// Counts how often each part is done, and by whom.
private final class Tally: @unchecked Sendable {
  let parts: UnsafeMutablePointer<Atomic<Int>>
  /// Whether each thread is in a part.
  let isWorking: UnsafeMutablePointer<Atomic<Bool>>
  let overlaps = Atomic<Int>(0)
  let count: Int
  let threads: Int

  init(parts count: Int, threads: Int) {
    self.count = count
    self.threads = threads
    parts = .allocate(capacity: max(count, 1))
    for part in 0..<count { (parts + part).initialize(to: Atomic(0)) }
    isWorking = .allocate(capacity: threads)
    for thread in 0..<threads { (isWorking + thread).initialize(to: Atomic(false)) }
  }

  deinit {
    parts.deinitialize(count: count)
    parts.deallocate()
    isWorking.deinitialize(count: threads)
    isWorking.deallocate()
  }

  var counts: [Int] { (0..<count).map { parts[$0].load(ordering: .relaxed) } }
}

private struct TallyWork: DividedWork {
  unowned let tally: Tally

  func run(part: Int, thread: Int) {
    let wasWorking = tally.isWorking[thread].exchange(true, ordering: .acquiringAndReleasing)
    if wasWorking { tally.overlaps.add(1, ordering: .relaxed) }
    tally.parts[part].add(1, ordering: .relaxed)
    tally.isWorking[thread].store(false, ordering: .releasing)
  }
}

/// Parts that have parts of their own.
private struct NestedWork: DividedWork {
  unowned let pool: ThreadPool
  unowned let tally: Tally
  let inner: Int

  func run(part: Int, thread: Int) {
    pool.run(InnerWork(tally: tally, outer: part, inner: inner, thread: thread), parts: inner)
  }

  struct InnerWork: DividedWork {
    unowned let tally: Tally
    let outer: Int
    let inner: Int
    let thread: Int

    func run(part: Int, thread: Int) {
      tally.parts[outer * inner + part].add(1, ordering: .relaxed)
      if thread != self.thread { tally.overlaps.add(1, ordering: .relaxed) }
    }
  }
}

private struct EmptyWork: DividedWork {
  func run(part: Int, thread: Int) {}
}

struct ThreadPoolTests {
  @Test(
    "every part is done once, by one thread at a time", arguments: [1, 2, 3, 5, 16],
    [true, false])
  func parts(threads: Int, spins: Bool) {
    let pool = ThreadPool(threads: threads, spins: spins)
    #expect(pool.count == threads)
    for parts in [0, 1, 2, 3, 7, 64, 1000, ThreadPool.mostParts] {
      let tally = Tally(parts: parts, threads: threads)
      pool.run(TallyWork(tally: tally), parts: parts)
      #expect(tally.counts.allSatisfy { $0 == 1 }, "\(parts) parts")
      #expect(tally.overlaps.load(ordering: .relaxed) == 0)
    }
  }

  @Test(
    "many quick calls, some after a rest in which threads fall asleep",
    arguments: [(2, true), (2, false), (3, true), (8, false)] as [(Int, Bool)])
  func quickCalls(threads: Int, spins: Bool) {
    let pool = ThreadPool(threads: threads, spins: spins)
    let tally = Tally(parts: threads, threads: threads)
    let calls = 3000
    for call in 0..<calls {
      pool.run(TallyWork(tally: tally), parts: threads)
      if call % 500 == 0 { usleep(2000) }
    }
    #expect(tally.counts == Array(repeating: calls, count: threads))
    #expect(tally.overlaps.load(ordering: .relaxed) == 0)
  }

  @Test("a call from within a part is done by the thread that makes it", arguments: [1, 2, 3])
  func nested(threads: Int) {
    let pool = ThreadPool(threads: threads, spins: true)
    let tally = Tally(parts: 35, threads: threads)
    for _ in 0..<100 { pool.run(NestedWork(pool: pool, tally: tally, inner: 7), parts: 5) }
    #expect(tally.counts == Array(repeating: 100, count: 35))
    #expect(tally.overlaps.load(ordering: .relaxed) == 0)
  }

  @Test("work without operands")
  func empty() {
    let pool = ThreadPool(threads: 3, spins: true)
    for _ in 0..<100 { pool.run(EmptyWork(), parts: 5) }
  }

  #if os(Linux)
    /// In a process of its own, where no other test starts threads.
    @Test("a pool that goes away leaves no thread")
    func teardown() async {
      await #expect(processExitsWith: .success) {
        func threads() throws -> Int {
          try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count
        }
        /// Whether there come to be so many: the kernel lists a thread for some time after others
        /// could join it.
        func become(_ count: Int) throws -> Bool {
          for _ in 0..<10_000 {
            if try threads() == count { return true }
            usleep(1000)
          }
          return false
        }
        let before = try threads()
        for round in 0..<50 {
          let pool = ThreadPool(threads: 5, spins: round % 2 == 0)
          let tally = Tally(parts: 9, threads: 5)
          // Some that never work, and some that are torn down while they spin or sleep.
          if round % 3 > 0 { pool.run(TallyWork(tally: tally), parts: 9) }
          if round % 5 == 0 { usleep(2000) }
          guard try become(before + 4) else { exit(EXIT_FAILURE) }
        }
        let kernels = KernelSet(.baseline, threads: 3)
        guard kernels.threads == 3, try become(before + 2) else { exit(EXIT_FAILURE) }
        withExtendedLifetime(kernels) {}
      }
    }
  #endif
}
