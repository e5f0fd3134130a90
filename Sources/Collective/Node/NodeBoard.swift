import Kernels
import Synchronization

/// What the ranks of a node tell each other through shared memory: in each rank's segment
///
///     | announcements | counters | messages | slots |
///
/// which that rank alone writes, and all read; but the owner of a chunk leaves its result in its
/// neighbour's slot. Counters only ever grow (64 bits do not wrap), each on cache lines of its own.
struct NodeBoard {
  /// Calls that a rank may be ahead of the slowest one: how many announcements and messages are
  /// kept.
  static let depth = 8
  /// Bytes of the largest message: an input that is small enough for every rank to reduce for
  /// itself.
  static let messageSize = 16 * 1024
  /// Slots for what is not in shared memory, and their size in bytes.
  static let slots = 4
  static let slotSize = 128 * 1024

  /// Bytes of a rank's segment.
  static let byteCount = slotsOffset + slots * slotSize

  enum Counter: Int, CaseIterable {
    /// Calls that this rank has completed: it reads nothing of them any more.
    case completed
    /// Pieces that it has copied to its slots.
    case filled
    /// Pieces whose inputs it has read, and whose part that it owns it has published.
    case reduced
    /// Pieces whose results it has taken from the slots.
    case emptied
  }

  /// A rank's arrival at a call: what it calls, and where its input is and its result shall be.
  struct Announcement {
    var call: UInt64
    var source = SharedLocation.elsewhere
    var target = SharedLocation.elsewhere
  }

  // Two cache lines apart: processors fetch lines in pairs.
  private static let stride = 128
  private static let announcementSize = 4 * MemoryLayout<UInt64>.size
  private static let countersOffset = depth * stride
  private static let messagesOffset = countersOffset + Counter.allCases.count * stride
  private static let slotsOffset = messagesOffset + depth * messageSize

  private let segments: UnsafeMutablePointer<UnsafeMutableRawPointer>

  /// - Parameter segments: of every local rank, `byteCount` bytes each, zero.
  init(segments: [UnsafeMutableRawPointer]) {
    self.segments = .allocate(capacity: segments.count)
    self.segments.initialize(from: segments, count: segments.count)
  }

  func deallocate() { segments.deallocate() }

  private typealias Word = Atomic<UInt64>

  private func word(_ rank: Int, _ offset: Int) -> UnsafeMutablePointer<Word> {
    (segments[rank] + offset).assumingMemoryBound(to: Word.self)
  }

  func count(_ counter: Counter, of rank: Int) -> Int {
    let word = word(rank, NodeBoard.countersOffset + counter.rawValue * NodeBoard.stride)
    return Int(word.pointee.load(ordering: .acquiring))
  }

  /// Everything that `rank` has written before is seen by whoever reads the counter.
  func setCount(_ counter: Counter, of rank: Int, to value: Int) {
    let word = word(rank, NodeBoard.countersOffset + counter.rawValue * NodeBoard.stride)
    word.pointee.store(UInt64(value), ordering: .releasing)
  }

  func announce(_ announcement: Announcement, number: Int, rank: Int) {
    let offset = number % NodeBoard.depth * NodeBoard.stride
    let fields = (segments[rank] + offset).assumingMemoryBound(to: UInt64.self)
    fields[1] = announcement.call
    fields[2] = announcement.source.word
    fields[3] = announcement.target.word
    word(rank, offset).pointee.store(UInt64(number + 1), ordering: .releasing)
  }

  /// The announcement of call `number`, if the rank has arrived there.
  func announcement(_ number: Int, of rank: Int) -> Announcement? {
    let offset = number % NodeBoard.depth * NodeBoard.stride
    guard word(rank, offset).pointee.load(ordering: .acquiring) == UInt64(number + 1) else {
      return nil
    }
    let fields = (segments[rank] + offset).assumingMemoryBound(to: UInt64.self)
    return Announcement(
      call: fields[1], source: SharedLocation(word: fields[2]),
      target: SharedLocation(word: fields[3]))
  }

  // Behind an announcement, where calls without a message have room: what the rank knows of the
  // results that it has made. It is kept as long as the announcement.

  private func place(ofFiniteness number: Int, _ rank: Int) -> UnsafeMutableRawPointer {
    segments[rank] + number % NodeBoard.depth * NodeBoard.stride + NodeBoard.announcementSize
  }

  /// Says it of a call's results: before the call is announced, and again before the counter that
  /// publishes them.
  func setFiniteness(_ finiteness: Finiteness, _ number: Int, of rank: Int) {
    place(ofFiniteness: number, rank).storeBytes(of: finiteness.rawValue, as: UInt8.self)
  }

  func finiteness(_ number: Int, of rank: Int) -> Finiteness {
    Finiteness(rawValue: place(ofFiniteness: number, rank).load(as: UInt8.self))!
  }

  /// Where a message of `byteCount` bytes is: behind the announcement in the same cache lines, if
  /// it fits there.
  func message(_ number: Int, of rank: Int, byteCount: Int) -> UnsafeMutableRawPointer {
    let slot = number % NodeBoard.depth
    return byteCount <= NodeBoard.stride - NodeBoard.announcementSize
      ? segments[rank] + slot * NodeBoard.stride + NodeBoard.announcementSize
      : segments[rank] + NodeBoard.messagesOffset + slot * NodeBoard.messageSize
  }

  func slot(_ piece: Int, of rank: Int) -> UnsafeMutableRawPointer {
    segments[rank] + NodeBoard.slotsOffset + piece % NodeBoard.slots * NodeBoard.slotSize
  }
}

/// Where a buffer is in the node's shared memory: | region + 1: 16 bits | offset: 48 bits |.
struct SharedLocation: Equatable {
  let word: UInt64

  init(word: UInt64) { self.word = word }

  /// - Parameters:
  ///   - region: which of those that the group has allocated.
  ///   - offset: bytes from the start of a rank's segment.
  init(region: Int, offset: Int) { word = UInt64(region + 1) << 48 | UInt64(offset) }

  /// Not in shared memory.
  static let elsewhere = SharedLocation(word: 0)

  var isShared: Bool { word != 0 }
  var region: Int { Int(word >> 48) - 1 }
  var offset: Int { Int(word & (1 << 48 - 1)) }
}
