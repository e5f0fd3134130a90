/// What a rank knows of all ranks. Ranks tell each other all they know, another one each time, so
/// that news reach everybody in some log2(size) messages; times travel as durations, since clocks
/// differ. All times here are seconds of this process's monotonic clock.
struct WatchTable {
  struct Entry: Equatable {
    /// Grows with every message that the rank itself has sent off; 0 while nothing has been heard.
    var number: UInt32 = 0
    var place = Place()
    /// When something last moved there.
    var moved: Double
    /// When the rank itself last gave a sign of life.
    var heard: Double
  }

  let rank: Int
  private(set) var entries: [Entry]
  private var beats: UInt64?

  init(rank: Int, size: Int, now: Double) {
    self.rank = rank
    entries = Array(repeating: Entry(moved: now, heard: now), count: size)
  }

  /// Takes this rank's own pulse.
  mutating func update(_ place: Place, beats: UInt64, now: Double) {
    if beats != self.beats { entries[rank].moved = now }
    self.beats = beats
    entries[rank].number += 1
    entries[rank].place = place
    entries[rank].heard = now
  }

  /// This process has not run for a while, and has nothing to say about others in that time.
  mutating func skip(_ seconds: Double) {
    for index in entries.indices {
      entries[index].moved += seconds
      entries[index].heard += seconds
    }
  }

  // MARK: Messages

  /// Of an entry in a message: rank, number, place, milliseconds since it moved and since it was
  /// heard.
  private static let entrySize = 4 + 4 + 8 + 4 + 4
  /// A message fits into a packet of 1,500 bytes.
  private static let entriesPerMessage = 56
  private static let headerSize = 8

  /// What is known, in messages for another rank.
  /// - Parameter key: the job's, which others do not know.
  func messages(key: UInt64, now: Double) -> [[UInt8]] {
    let known = entries.indices.filter { entries[$0].number > 0 }
    return stride(from: 0, to: known.count, by: WatchTable.entriesPerMessage).map { start in
      var bytes: [UInt8] = []
      bytes.append(number: key)
      for rank in known[start..<min(start + WatchTable.entriesPerMessage, known.count)] {
        let entry = entries[rank]
        bytes.append(number: UInt32(rank))
        bytes.append(number: entry.number)
        bytes.append(number: entry.place.word)
        bytes.append(number: WatchTable.milliseconds(now - entry.moved))
        bytes.append(number: WatchTable.milliseconds(now - entry.heard))
      }
      return bytes
    }
  }

  /// Takes over what is newer in a message. What is not a message of this job is passed over.
  mutating func merge(_ message: some Collection<UInt8>, key: UInt64, now: Double) {
    var bytes = message.dropFirst(0)
    guard message.count >= WatchTable.headerSize,
      (message.count - WatchTable.headerSize) % WatchTable.entrySize == 0,
      bytes.takeNumber(UInt64.self) == key
    else { return }
    while !bytes.isEmpty {
      let rank = Int(bytes.takeNumber(UInt32.self))
      let number = bytes.takeNumber(UInt32.self)
      let place = Place(word: bytes.takeNumber(UInt64.self))
      let moved = now - Double(bytes.takeNumber(UInt32.self)) / 1000
      let heard = now - Double(bytes.takeNumber(UInt32.self)) / 1000
      guard entries.indices.contains(rank), rank != self.rank, number > entries[rank].number
      else { continue }
      entries[rank] = Entry(number: number, place: place, moved: moved, heard: heard)
    }
  }

  private static func milliseconds(_ seconds: Double) -> UInt32 {
    UInt32(min(max(seconds * 1000, 0), 4e9))
  }
}

extension [UInt8] {
  /// Least significant byte first.
  fileprivate mutating func append<Number: FixedWidthInteger>(number: Number) {
    Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
  }
}

extension Collection<UInt8> where SubSequence == Self {
  fileprivate mutating func takeNumber<Number: FixedWidthInteger & UnsignedInteger>(
    _ type: Number.Type
  ) -> Number {
    var number: Number = 0
    for index in 0..<Number.bitWidth / 8 { number |= Number(popFirst()!) << (8 * index) }
    return number
  }
}
